/** One write, done by the engine and by the oracle: the answers, all tables afterwards, and the change records are compared. */
import { AppError } from "../../../src/base/errors.ts";
import { system } from "../../../src/engine/actor.ts";
import type { Call, Result } from "../../../src/engine/call.ts";
import { createChangeReader, type ReadChanges } from "../../../src/testing/changes.ts";
import { product } from "../../fresh.ts";
import { actorOf, isSame } from "../cases.ts";
import type { Loaded } from "../load.ts";
import { OracleRefusal } from "../refusals.ts";
import type { ModelDef, Row, Viewer } from "../world.ts";
import { toCall, type Write } from "./make-write.ts";
import { perform } from "./several.ts";
import { type Changed, idOf, type State } from "./state.ts";

/** A world that is written to, on both sides. */
export interface Arena {
  readonly loaded: Loaded;
  readonly state: Pick<State, "models" | "rows" | "counters">;
  readonly readChanges: ReadChanges;
}

export interface WriteDifference {
  readonly viewer: Viewer;
  readonly asked: Write;
  readonly expected: unknown;
  readonly actual: unknown;
}

export async function openArena(loaded: Loaded): Promise<Arena> {
  const { models, rows } = loaded.world;
  const counters = new Map<string, number>();
  for (const [name, all] of rows)
    counters.set(name, Math.max(0, ...all.map((row) => (typeof row["id"] === "number" ? row["id"] : 0))));
  const readChanges = createChangeReader(loaded.engine.readChanges);
  await readChanges();
  return { loaded, state: { models, rows: new Map(rows), counters }, readChanges };
}

export interface Attempt {
  readonly viewer: Viewer;
  readonly write: Write;
  readonly now: string;
  /** The last of its world. */
  readonly isLast: boolean;
}

/** Null where both agree; the oracle's rows are then those of the next write. */
export async function compareWrite(
  arena: Arena,
  { viewer, write, now, isLast }: Attempt,
): Promise<WriteDifference | "skipped" | null> {
  const { loaded, readChanges } = arena;
  loaded.setNow(now);
  const actor = actorOf(viewer);
  const run = async (call: Call) => (await loaded.engine.execute(call, { actor, requestId: "r" })).result;
  const answered = await outcome(async () => toAnswer(await run(toCall(write))));
  if ((answered as { refused?: string }).refused === "limit_exceeded") return "skipped";
  const records = await readChanges();
  const state: State = { ...arena.state, changes: [], given: givenBy(arena.state.models, records), now, viewer };
  const performed = await outcome(() => perform(state, write));
  // A write that neither says changed anything is looked at with the next one that did.
  const isRead = isLast || records.length + state.changes.length > 0;
  const actual = {
    outcome: answered,
    rows: isRead ? await readTables(loaded, arena.state.models) : {},
    changes: sorted(records.map(({ model, kind, id, version, before, after }) => ({ model, kind, id, version, before, after }))),
    said: records.every((one) => one.actor === actor.id && one.requestId === "r" && one.at === now),
  };
  const tables = [...state.models.values()].map((model) => [model.name, byId(model, state.rows.get(model.name) ?? [])]);
  const expected = {
    outcome: performed,
    rows: isRead ? (Object.fromEntries(tables) as typeof actual.rows) : {},
    changes: sorted(state.changes),
    said: true,
  };
  Object.assign(arena.state, { rows: state.rows, counters: state.counters });
  return isSame(expected, actual) ? null : { viewer, asked: write, expected, actual };
}

// A counter of SQLite's is undone with what it counted; those of others go on.
function givenBy(models: State["models"], records: readonly Changed[]): State["given"] {
  const counted = records.filter(({ model, kind }) => kind === "insert" && models.get(model)?.fields[0]?.filled === "serial");
  const byModel = Map.groupBy(product === "sqlite" ? [] : counted, ({ model }) => model);
  return new Map([...byModel].map(([model, all]) => [model, all.map(({ id }) => Number(id))]));
}

function sorted(changes: readonly Changed[]): readonly Changed[] {
  const place = ({ model, id, version }: Changed) => JSON.stringify([model, id, String(version).padStart(6, "0")]);
  return changes.toSorted((left, right) => (place(left) < place(right) ? -1 : 1));
}

function byId(model: ModelDef, rows: readonly Row[]): Record<string, Row> {
  const placed = rows.map((row) => [idOf(model, row), row] as const);
  return Object.fromEntries(placed.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** Whole tables: every field, and what is in the trash. */
async function readTables(loaded: Loaded, models: State["models"]): Promise<Record<string, Record<string, Row>>> {
  const tables: Record<string, Record<string, Row>> = {};
  for (const model of models.values()) {
    const rows: Row[] = [];
    let after: string | undefined;
    do {
      const query = {
        limit: 100,
        ...(model.softDelete ? { trash: "with" as const } : {}),
        ...(after === undefined ? {} : { after }),
      };
      const { result } = await loaded.engine.execute(
        { op: "list", model: model.name, query },
        { actor: system, requestId: null },
      );
      if (result.kind !== "list") throw new Error("a list gives a list");
      rows.push(...result.rows.map((text) => JSON.parse(text) as Row));
      after = result.next ?? undefined;
    } while (after !== undefined);
    tables[model.name] = byId(model, rows);
  }
  return tables;
}

function toAnswer(result: Result): unknown {
  if (result.kind === "deleted") return "deleted";
  if (result.kind === "affected") return result.count;
  if (result.kind === "batch")
    return result.results.map((one) => (one.result ? toAnswer(one.result) : { refused: (one.error as AppError | null)?.code }));
  if (result.kind !== "row") return result;
  const row = result.json === null ? null : (JSON.parse(result.json) as unknown);
  return { id: result.id, version: result.version, created: result.created, row };
}

async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { answer: await run() };
  } catch (error) {
    if (error instanceof OracleRefusal || error instanceof AppError) return { refused: error.code };
    throw error;
  }
}
