/** One case: a viewer asks the engine and the oracle the same, and the two answers are compared. */
import { isDeepStrictEqual } from "node:util";
import { AppError } from "../../src/base/errors.ts";
import { type Actor, anonymous, createActor } from "../../src/engine/actor.ts";
import type { Call, Query, Result } from "../../src/engine/call.ts";
import { type Aggregate, aggregate } from "./aggregates.ts";
import { ask, getOne, listAll } from "./answers.ts";
import type { Loaded } from "./load.ts";
import { makeAggregate } from "./make-aggregate.ts";
import { makeOrder, makeSelect, makeWhere, type Making } from "./make-query.ts";
import { makeUuid } from "./make-values.ts";
import { claims, roles } from "./make-rules.ts";
import type { Random } from "./random.ts";
import { OracleRefusal } from "./refusals.ts";
import { settle } from "./rules.ts";
import { fieldOf, type Kind, type ModelDef, modelOf, type Row, type Viewer, type World } from "./world.ts";

export type Case =
  | { readonly kind: "list"; readonly model: string; readonly query: Query; readonly isWalk: boolean }
  | {
      readonly kind: "get";
      readonly model: string;
      readonly row: Row | null;
      readonly select: Record<string, unknown> | undefined;
    }
  | { readonly kind: "aggregate"; readonly model: string; readonly query: Aggregate };

export interface Difference {
  readonly viewer: Viewer;
  readonly asked: Case;
  readonly expected: unknown;
  readonly actual: unknown;
}

const claimTexts = ["a", "A", "film-1", "", null, "😀", "1", "0.5", "-10", "2021-01-01"];
/** Where the values of some type end, and the spellings that it takes besides its own. */
const edgeTexts = [
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740991",
  "9999999999999999.99",
  "99999999999999999",
  "0.10",
  "007",
  "-0",
  "1e2",
  "1e309",
  "true",
  "09:30",
  "PG",
  "AP8=",
  "2021-01-01T01:30:00+01:30",
  "2020-12-31T23:59:59.999Z",
  "O'NEIL@example.com",
  "https://example.com/",
  "0198B0AA-0000-7000-8000-000000000001",
];

/** Viewers of a world: nobody, and users with some roles, claims, and the ids of rows. */
export function makeViewers(random: Random, world: World): Viewer[] {
  const ids = [...world.rows.values()].flat().map((row) => String((row["id"] ?? row["code"] ?? "a") as string));
  const user = (): Viewer => ({
    id: ids.length > 0 && random.chance(0.5) ? random.pick(ids) : random.pick(["a", "film-1", "", makeUuid(random, 4)]),
    signedIn: true,
    roles: random.some(roles, 2),
    claims: Object.fromEntries(
      random.some(claims, 2).map((name) => [name, random.chance(0.5) ? random.pick(claimTexts) : random.pick(edgeTexts)]),
    ),
  });
  return [{ id: null, signedIn: false, roles: [], claims: {} }, user(), user(), { ...user(), roles: ["staff"] }];
}

export function actorOf(viewer: Viewer): Actor {
  return viewer.signedIn ? createActor(viewer.id as string, viewer.roles, viewer.claims) : anonymous;
}

export function makeCase(making: Making): Case {
  const { random, world, viewer } = making;
  const name = random.pick([...world.models.keys()]);
  const model = modelOf(world, name);
  const chance = random.next();
  if (chance < 0.1)
    return {
      kind: "get",
      model: name,
      row: random.chance(0.9) ? (random.pick([...(world.rows.get(name) ?? []), null]) as Row | null) : null,
      select: makeSelect(making, model, 3),
    };
  if (chance < 0.35) return { kind: "aggregate", model: name, query: makeAggregate(making, model) };
  const isWalk = random.chance(0.3);
  const trash =
    model.softDelete && random.chance(0.15) && settle(model.rules.delete, viewer) !== false
      ? random.pick(["with", "only"] as const)
      : undefined;
  const query: Query = {
    where: random.chance(0.8) ? makeWhere(making, model, 3) : undefined,
    orderBy: makeOrder(making, model),
    select: random.chance(isWalk ? 0.3 : 0.9) ? makeSelect(making, model, 3) : undefined,
    limit: isWalk ? 1 + random.int(7) : random.pick([undefined, 1, 5, 20]),
    count: random.chance(0.2) ? "exact" : undefined,
    trash,
  };
  return { kind: "list", model: name, query, isWalk };
}

/** Asks both; null where they agree, and skipped where a limit refuses the query. */
export async function compare(loaded: Loaded, viewer: Viewer, asked: Case): Promise<Difference | "skipped" | null> {
  const expected = await outcome(() => expect(loaded.world, viewer, asked));
  const actual = await outcome(() => answer(loaded, { viewer, readRow: JSON.parse }, asked));
  if ((actual as { refused?: string }).refused === "limit_exceeded") return "skipped";
  return isSame(expected, actual) ? null : { viewer, asked, expected, actual };
}

/** What the oracle says. */
function expect(world: World, viewer: Viewer, asked: Case): unknown {
  const model = modelOf(world, asked.model);
  const question = ask(world, viewer);
  if (asked.kind === "get") return getOne(question, model, asked);
  if (asked.kind === "aggregate") return aggregate(question, model, asked.query);
  const rows = listAll(question, model, asked.query);
  const size = asked.query.limit ?? 20;
  const count = asked.query.count === "exact" ? { count: rows.length } : {};
  if (!asked.isWalk) return { rows: rows.slice(0, size), next: rows.length > size, prev: false, ...count };
  const starts = Array.from({ length: Math.max(1, Math.ceil(rows.length / size)) }, (_, page) => page * size);
  const forth = starts.map((start) => ({
    rows: rows.slice(start, start + size),
    next: start + size < rows.length,
    prev: start > 0,
    ...count,
  }));
  return { forth, back: forth.slice(0, -1).toReversed(), again: forth.slice(1) };
}

interface Page {
  readonly rows: readonly unknown[];
  readonly next: boolean;
  readonly prev: boolean;
  readonly count?: number;
}

/** What the engine says, to the byte: the texts of its rows, or its refusal with every word. */
export async function answerText(loaded: Loaded, viewer: Viewer, asked: Case): Promise<unknown> {
  try {
    return await answer(loaded, { viewer, readRow: (text) => text }, asked);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, message: error.message, errors: error.errors };
  }
}

type ReadRow = (text: string) => unknown;

interface Reading {
  readonly viewer: Viewer;
  readonly readRow: ReadRow;
}

/** What the engine says. */
async function answer(loaded: Loaded, { viewer, readRow }: Reading, asked: Case): Promise<unknown> {
  const actor = actorOf(viewer);
  const run = async (call: Call): Promise<Result> => (await loaded.engine.execute(call, { actor, requestId: null })).result;
  if (asked.kind === "get") {
    const id = asked.row ? (loaded.ids.get(asked.row) as string) : missingId(modelOf(loaded.world, asked.model));
    const got = await run({ op: "get", model: asked.model, id, select: asked.select });
    return got.kind === "row" && got.json !== null ? readRow(got.json) : got;
  }
  if (asked.kind === "aggregate") {
    const got = await run({ op: "aggregate", model: asked.model, query: asked.query });
    return got.kind === "aggregate" ? got.rows.map((text) => readRow(text)) : got;
  }
  const list = async (more: Partial<Query>) => {
    const got = await run({ op: "list", model: asked.model, query: { ...asked.query, ...more } });
    if (got.kind !== "list") throw new Error("a list gives a list");
    return got;
  };
  const toRead = (got: ListResult) => toPage(got, readRow);
  return asked.isWalk ? walk(list, toRead) : toRead(await list({}));
}

type ListResult = Extract<Result, { kind: "list" }>;

async function walk(list: (more: Partial<Query>) => Promise<ListResult>, toRead: (got: ListResult) => Page): Promise<unknown> {
  let at = await list({});
  const forth = [toRead(at)];
  while (at.next !== null && forth.length < 60) {
    at = await list({ after: at.next });
    forth.push(toRead(at));
  }
  const back: Page[] = [];
  while (at.prev !== null && back.length < 60) {
    at = await list({ before: at.prev });
    back.push(toRead(at));
  }
  const again: Page[] = [];
  while (at.next !== null && again.length < 60) {
    at = await list({ after: at.next });
    again.push(toRead(at));
  }
  return { forth, back, again };
}

function toPage(got: ListResult, readRow: ReadRow): Page {
  return {
    rows: got.rows.map((text) => readRow(text)),
    next: got.next !== null,
    prev: got.prev !== null,
    ...(got.count === null ? {} : { count: got.count }),
  };
}

function missingId(model: ModelDef): string {
  const key = model.key.map((name) => fieldOf(model, name)?.kind);
  const ids: Partial<Record<Kind, string>> = {
    uuid: "0198b0aa-ffff-7000-8000-000000000000",
    date: "1234-05-06",
    datetime: "1234-05-06T07:08:09.000Z",
  };
  return key.map((kind) => ids[kind ?? "text"] ?? "987654").join(",");
}

async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { answer: await run() };
  } catch (error) {
    if (error instanceof OracleRefusal) return { refused: error.code };
    if (error instanceof AppError) return { refused: error.code, ...(error.errors.length > 0 ? { errors: error.errors } : {}) };
    throw error;
  }
}

/** Deep equality; averages may differ in a double's last digits, since both divide. */
export function isSame(left: unknown, right: unknown): boolean {
  if (isDeepStrictEqual(left, right)) return true;
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((one, index) => isSame(one, right[index]));
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => {
    const [mine, theirs] = [(left as Row)[name], (right as Row)[name]];
    return name === "avg" ? isClose(mine as Row, theirs as Row) : Object.hasOwn(right, name) && isSame(mine, theirs);
  });
}

function isClose(left: Row | undefined, right: Row | undefined): boolean {
  const names = Object.keys(left ?? {});
  return (
    names.length === Object.keys(right ?? {}).length &&
    names.every((name) => {
      const [mine, theirs] = [left?.[name], right?.[name]];
      if (typeof mine !== "number" || typeof theirs !== "number") return mine === theirs;
      return Math.abs(mine - theirs) <= Math.abs(mine) * 1e-12;
    })
  );
}
