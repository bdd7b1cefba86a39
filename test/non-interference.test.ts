/**
 * Two databases that differ only in what a viewer may not read answer that viewer byte for byte alike: rows, cursors, counts,
 * aggregates and errors. `ORACLE_SEED` repeats one world.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AppError } from "../src/base/errors.ts";
import type { Actor } from "../src/engine/actor.ts";
import type { Call, Query } from "../src/engine/call.ts";
import { actorOf, type Case, makeCase, makeViewers } from "./oracle/cases.ts";
import { faults } from "./oracle/faults.ts";
import { type Between, load, type Loaded } from "./oracle/load.ts";
import { makeModels } from "./oracle/make-schema.ts";
import { createRandom, type Random } from "./oracle/random.ts";
import { hasField, hasRelation } from "./oracle/rules.ts";
import { loadTwin, makeTwin, type Twin } from "./oracle/twin.ts";
import { type ModelDef, modelOf, type Viewer, type World } from "./oracle/world.ts";

const worldsWanted = Number(process.env["ORACLE_CASES"] ?? 6000) / 150;
const onlySeed = process.env["ORACLE_SEED"];

interface Told {
  readonly calls: number;
  readonly changes: number;
  readonly difference: string | null;
}

/** One world, its twins for two viewers, and what each is asked. */
async function runWorld(seed: number, between: Between = {}): Promise<Told> {
  const random = createRandom(seed);
  const loaded = await load({ models: makeModels(random), random, between, rowsMax: 12 });
  let calls = 0;
  let changes = 0;
  try {
    for (const viewer of random.some(makeViewers(random, loaded.world), 2)) {
      const twin = makeTwin(loaded, viewer, random);
      const other = await loadTwin(twin.world, between);
      changes += twin.changes;
      try {
        for (const call of callsOf({ random, world: loaded.world, viewer, twin })) {
          calls++;
          const difference = await compareAll([loaded, other], actorOf(viewer), call);
          if (difference)
            return {
              calls,
              changes,
              difference: `world ${seed}, viewer ${JSON.stringify(viewer)}\n${difference}\nagain: ORACLE_SEED=${seed} npm run test:fast -- non-interference`,
            };
        }
      } finally {
        await other.database.close();
      }
    }
    return { calls, changes, difference: null };
  } finally {
    await loaded.database.close();
  }
}

function callsOf(making: { random: Random; world: World; viewer: Viewer; twin: Twin }): Call[] {
  const { random, twin } = making;
  const calls = Array.from({ length: 60 }, () => callOf(makeCase(making)));
  for (const { model, id } of twin.unseen.slice(0, 15)) {
    const one = { model, id };
    calls.push(
      { op: "get", ...one },
      { op: "update", ...one, data: {} },
      { op: "delete", ...one },
      { op: "delete", ...one, ifVersion: random.pick([1, 2]) },
      { op: "restore", ...one },
    );
  }
  return calls;
}

function callOf(asked: Case): Call {
  if (asked.kind === "get")
    return {
      op: "get",
      model: asked.model,
      id: String((asked.row?.["id"] ?? asked.row?.["code"] ?? "x") as string),
      select: asked.select,
    };
  if (asked.kind === "aggregate") return { op: "aggregate", model: asked.model, query: asked.query };
  return { op: "list", model: asked.model, query: asked.query };
}

/** What differs between the answers, pages behind the first included; null where nothing does. */
async function compareAll(both: readonly [Loaded, Loaded], actor: Actor, call: Call): Promise<string | null> {
  let next: Call | null = call;
  for (let page = 0; next !== null && page < 20; page++) {
    const [left, right] = await Promise.all(both.map(({ engine }) => told(engine, actor, next as Call)));
    if (left !== right) return `asked: ${JSON.stringify(next)}\none:   ${left}\nother: ${right}`;
    const cursor = /"next":"([\w-]+)"/.exec(left ?? "")?.[1];
    next = next.op === "list" && cursor ? { ...next, query: { ...next.query, after: cursor } as Query } : null;
  }
  return null;
}

/** An answer with all that the wire could tell of it. */
async function told(engine: Loaded["engine"], actor: Actor, call: Call): Promise<string> {
  try {
    return JSON.stringify((await engine.execute(call, { actor, requestId: null })).result);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return JSON.stringify({
      code: error.code,
      status: error.status,
      message: error.message,
      errors: error.errors,
      headers: error.headers,
    });
  }
}

/** Names that are there, but not for this viewer. */
function closedNames(world: World, model: ModelDef, viewer: Viewer): string[] {
  const fields = model.fields.filter(({ name }) => !hasField(model, name, viewer)).map(({ name }) => name);
  const relations = model.relations.filter(
    (relation) => !hasRelation({ world, viewer }, model, relation) && !hasField(model, relation.name, viewer),
  );
  return [...new Set([...fields, ...relations.map(({ name }) => name)])];
}

function callsNaming(model: string, name: string): Call[] {
  const lists: Query[] = [
    { where: { [name]: "a" } },
    { where: { not: { [name]: { gt: 1 } } } },
    { where: { [name]: { some: {} } } },
    { where: { [`${name}.id`]: 1 } },
    { orderBy: name },
    { orderBy: `-${name}.id` },
    { select: { [name]: true } },
    { select: { [name]: { id: true } } },
  ];
  return [
    ...lists.map((query): Call => ({ op: "list", model, query })),
    { op: "aggregate", model, query: { group: [name] } },
    { op: "aggregate", model, query: { group: [`month(${name})`] } },
    { op: "aggregate", model, query: { sum: [name] } },
    { op: "aggregate", model, query: { count: [name], having: { [`count.${name}`]: 1 } } },
    { op: "create", model, data: { [name]: "a" } },
    { op: "updateMany", model, where: { [name]: "a" }, data: {}, maxAffected: 1 },
  ];
}

describe("non-interference", () => {
  test("what may not be read changes no byte of any answer", async (context) => {
    const started = Date.now() % 1_000_000;
    const seeds =
      onlySeed === undefined ? Array.from({ length: worldsWanted }, (_, index) => started + index) : [Number(onlySeed)];
    let calls = 0;
    let changes = 0;
    for (const seed of seeds) {
      const outcome = await runWorld(seed);
      calls += outcome.calls;
      changes += outcome.changes;
      if (outcome.difference) assert.fail(outcome.difference);
    }
    context.diagnostic(`${calls} calls over ${changes} unseen changes, seeds ${seeds[0]} to ${seeds.at(-1)}`);
    assert.ok(onlySeed !== undefined || changes > seeds.length, "there is something unseen to change");
  });

  test("a name that may not be named answers as one that never was", async (context) => {
    let named = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const random = createRandom(seed);
      const loaded = await load({ models: makeModels(random), random, rowsMax: 3 });
      for (const viewer of makeViewers(random, loaded.world)) {
        for (const model of loaded.world.models.values()) {
          const closed = closedNames(loaded.world, model, viewer);
          for (const name of closed) named += await compareNames(loaded, { viewer, model: model.name, name, closed });
        }
      }
      await loaded.database.close();
    }
    context.diagnostic(`${named} calls named something closed`);
    assert.ok(named > 1000);
  });

  for (const fault of faults.filter(({ name }) => /without/.test(name) && !/case/.test(name))) {
    test(`a planted fault is found: ${fault.name}`, async (context) => {
      for (let seed = 1; seed <= 40; seed++) {
        const { difference } = await runWorld(seed, fault.between);
        if (difference) return context.diagnostic(`found in world ${seed}`);
      }
      assert.fail("not found in 40 worlds");
    });
  }
});

interface Naming {
  readonly viewer: Viewer;
  readonly model: string;
  readonly name: string;
  readonly closed: readonly string[];
}

async function compareNames(loaded: Loaded, { viewer, model, name, closed }: Naming): Promise<number> {
  const actor = actorOf(viewer);
  const invented = `q${"zqj".repeat(8)}`.slice(0, Math.max(8, name.length));
  const calls = callsNaming(model, name);
  const others = callsNaming(model, invented);
  for (const [index, call] of calls.entries()) {
    const suggestion = / Did you mean \\"([\w.]+)\\"\?/g;
    const real = await told(loaded.engine, actor, call);
    for (const [, suggested = ""] of real.matchAll(suggestion))
      assert.ok(!closed.includes(suggested), `${real} suggests what is closed`);
    const fake = await told(loaded.engine, actor, others[index] as Call);
    // Where it is named there are quotes, slashes or points around it: a sentence may have a word like "to" by itself, or within another.
    const strip = (text: string, given: string) =>
      text.replaceAll(suggestion, "").replaceAll(new RegExp(`(?<![\\w\\s])${given}(?![\\w\\s])`, "g"), "…");
    assert.equal(strip(real, name), strip(fake, invented), `${JSON.stringify(viewer)} ${JSON.stringify(call)}`);
  }
  assert.ok(modelOf(loaded.world, model));
  return calls.length;
}
