/** Asks an adopted Chinook the thirty questions, and compares its answers with those of SQL by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flatten, plain } from "./chinook.ts";
import { answerOf, type Row, type Served } from "./place.ts";
import { type Question, questions } from "./questions.ts";

export interface Asked {
  readonly served: () => Served;
  /** Rows of the question's SQL, whose names are in double quotes and as SQLite's file has them. */
  readonly query: (sql: string) => unknown[][] | Promise<unknown[][]>;
}

/** Makes a test of each question. */
export function testAnswers(asked: Asked): void {
  void test("there are thirty questions", () => assert.equal(questions.length, 30));
  for (const question of questions) void test(question.title, () => compare(question, asked));
}

async function compare({ path, sql, columns, kinds }: Question, { served, query }: Asked): Promise<void> {
  const body = await answerOf(served(), path);
  const rows: Row[] = Array.isArray(body.data) ? body.data : [body];
  const spell = (all: readonly (readonly unknown[])[]) =>
    all.map((row) => row.map((value, index) => plain(value, kinds[index] ?? "text")));
  const expected = spell(await query(sql));
  assert.ok(expected.length > 0, "a question has an answer");
  assert.deepEqual(spell(rows.flatMap((row: unknown) => flatten(row, columns))), expected);
}
