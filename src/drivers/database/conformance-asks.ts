/** What the cases of the conformance kit ask of a database, and how they judge the errors. Statements use `?`. */
import assert from "node:assert/strict";
import { AppError } from "../../base/errors.ts";
import {
  type Database,
  type databaseErrors,
  type Row,
  type Statement,
  type Step,
  type StepRef,
  UnitRefused,
  type Value,
} from "../database.ts";

/** One demand of the contract; fails by throwing. It gets a database with the tables of `kitTables`, empty. */
export interface Case {
  readonly name: string;
  run(db: Database, words: KitWords): Promise<void>;
}

/** What the statements of a case must know of the database's SQL. */
export interface KitWords {
  /** The type that a parameter is cast to. */
  readonly integer: string;
  /** INSERT tells what it has inserted. */
  readonly returns: boolean;
}

export const standardWords: KitWords = { integer: "INTEGER", returns: true };

export const insertFilm = "INSERT INTO films (id, title) VALUES (?, ?)";

export function ask(text: string, ...params: readonly Value[]): Statement {
  return { text, params };
}

export function runStep(text: string, ...params: readonly (Value | StepRef)[]): Step {
  return { text, kind: "run", params };
}

export function rowsStep(text: string, ...params: readonly (Value | StepRef)[]): Step {
  return { text, kind: "rows", params };
}

export function checkStep(text: string, ...params: readonly (Value | StepRef)[]): Step {
  return { text, kind: "check", params };
}

export function addFilm(id: number, title = `film ${id}`): Step {
  return runStep(insertFilm, id, title);
}

/** The ids of all films, in order. */
export async function filmIds(db: Database): Promise<readonly Value[]> {
  return (await db.read(ask("SELECT id FROM films ORDER BY id"))).map((row) => row[0] as Value);
}

/** The first column of the first row. */
export function first(rows: readonly Row[]): Value {
  const value = rows[0]?.[0];
  assert.notEqual(value, undefined, "there is no row");
  return value as Value;
}

/** Asserts that the unit was refused, and how; returns the refusal. */
export async function assertRefused(promise: Promise<unknown>, reason: string, step: number): Promise<UnitRefused> {
  const error = await rejection(promise);
  assert.ok(error instanceof UnitRefused, `refused, not: ${String(error)}`);
  assert.deepEqual([error.reason, error.step], [reason, step]);
  return error;
}

export async function assertFails(promise: Promise<unknown>, code: keyof typeof databaseErrors): Promise<void> {
  const error = await rejection(promise);
  assert.ok(error instanceof AppError, `an operating error, not: ${String(error)}`);
  assert.equal(error.code, code);
}

/** What the promise fails with; fails itself when the promise does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it should have failed");
}
