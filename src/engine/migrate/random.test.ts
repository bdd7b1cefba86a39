/** Random schemas: migrated from one to another over rows, a database is as a fresh one, and nothing that is kept is lost. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { AppError } from "../../base/errors.ts";
import type { Database, Value } from "../../drivers/database.ts";
import { sqliteDdl as ddl } from "../../drivers/database/sqlite/ddl.ts";
import { openSqlite } from "../../drivers/database/sqlite/sqlite.ts";
import { compileSchema, type DeclaredModel } from "../../schema/compile.ts";
import {
  bigint,
  boolean,
  choice,
  date,
  datetime,
  decimal,
  email,
  type Field,
  type Flag,
  float,
  integer,
  json,
  now,
  serial,
  text,
} from "../../schema/field.ts";
import { model } from "../../schema/model.ts";
import { belongsTo } from "../../schema/relation.ts";
import type { Schema } from "../../schema/schema.ts";
import { applyMigration } from "./apply.ts";
import { migrateDown, planDown } from "./down.ts";
import { findDrift } from "./drift.ts";
import { readerOf, readHead, readSnapshot } from "./journal.ts";
import { phrasesOf, type Plan, planMigration } from "./plan.ts";

const kinds = [
  "text",
  "integer",
  "bigint",
  "decimal",
  "money",
  "float",
  "boolean",
  "datetime",
  "date",
  "choice",
  "json",
  "email",
  "ref",
] as const;
type Kind = (typeof kinds)[number];

interface FieldSpec {
  readonly kind: Kind;
  readonly optional: boolean;
  readonly filled: boolean;
  readonly unique: boolean;
  readonly indexed: boolean;
  readonly renamed: boolean;
  readonly column: boolean;
  readonly target: number;
}

/** Slots stay the same thing through renames; a slot may be empty. */
interface ModelSpec {
  readonly serial: boolean;
  readonly trash: boolean;
  readonly renamed: boolean;
  readonly fields: readonly (FieldSpec | null)[];
}
type Spec = readonly (ModelSpec | null)[];

const slots = 3;
const fieldSlots = 4;
const rowsEach = 4;
const often = fc.integer({ min: 0, max: 9 }).map((roll) => roll < 7);
const seldom = fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0);

const fieldArbitrary: fc.Arbitrary<FieldSpec> = fc.record({
  kind: fc.constantFrom(...kinds),
  optional: fc.boolean(),
  filled: often,
  unique: seldom,
  indexed: fc.boolean(),
  renamed: fc.boolean(),
  column: seldom,
  target: fc.nat(slots - 1),
});
const modelArbitrary: fc.Arbitrary<ModelSpec> = fc.record({
  serial: fc.boolean(),
  trash: fc.boolean(),
  renamed: fc.boolean(),
  fields: fc.array(fc.option(fieldArbitrary, { freq: 4 }), { minLength: fieldSlots, maxLength: fieldSlots }),
});
const specArbitrary = fc.array(fc.option(modelArbitrary, { freq: 4 }), { minLength: slots, maxLength: slots });

/** The second schema keeps most of the first one's kinds, so that many pairs can be migrated. */
const pairArbitrary: fc.Arbitrary<{ from: Spec; to: Spec }> = fc
  .tuple(specArbitrary, specArbitrary, fc.array(often, { minLength: slots * fieldSlots, maxLength: slots * fieldSlots }))
  .map(([from, fresh, keeps]) => ({
    from: from.map(
      (one) =>
        one && {
          ...one,
          renamed: false,
          fields: one.fields.map((field) => field && { ...field, renamed: false, column: false }),
        },
    ),
    to: fresh.map((one, slot) => {
      const earlier = from[slot];
      if (!one || !earlier) return one;
      const fields = one.fields.map((field, index) => {
        const was = earlier.fields[index];
        return field && was && keeps[slot * fieldSlots + index]
          ? {
              ...field,
              kind: was.kind,
              target: was.target,
              optional: was.optional || field.optional,
              unique: was.unique && field.unique,
            }
          : field;
      });
      return { ...one, serial: earlier.serial, fields };
    }),
  }));

function makeField(kind: Kind): Field<unknown, Flag> {
  switch (kind) {
    case "text":
      return text();
    case "integer":
      return integer();
    case "bigint":
      return bigint();
    case "decimal":
      return decimal(10, 2);
    case "money":
      return decimal(14, 4);
    case "float":
      return float();
    case "boolean":
      return boolean();
    case "datetime":
      return datetime();
    case "date":
      return date();
    case "choice":
      return choice("a", "b", "1");
    case "json":
      return json() as Field<unknown, Flag>;
    default:
      return email();
  }
}

const fills: Readonly<Record<Exclude<Kind, "ref">, unknown>> = {
  text: "7",
  integer: 7,
  bigint: "7",
  decimal: "7.25",
  money: "7.2525",
  float: 7.5,
  boolean: true,
  datetime: now,
  date: "2026-01-02",
  choice: "a",
  json: { a: 1 },
  email: "a@example.org",
};

const stored: Readonly<Record<Exclude<Kind, "ref">, (row: number) => Value>> = {
  text: (row) => (row % 2 === 0 ? String(row) : `it's "${row}"`),
  integer: (row) => row * 3 - 4,
  bigint: (row) => 2n ** 60n + BigInt(row),
  decimal: (row) => row * 125 - 100,
  money: (row) => row * 10_000,
  float: (row) => row / 2,
  boolean: (row) => row % 2,
  datetime: (row) => `2026-01-0${row + 1}T10:00:00.000Z`,
  date: (row) => `2026-01-0${row + 1}`,
  choice: (row) => ["a", "b", "1"][row % 3] as string,
  json: (row) => `{"n":${row}}`,
  email: (row) => `a${row}@example.org`,
};

const modelName = (slot: number, spec: ModelSpec) => (spec.renamed ? `things${slot}New` : `things${slot}`);
const fieldName = (slot: number, spec: FieldSpec) => (spec.renamed ? `part${slot}New` : `part${slot}`);
const present = (spec: Spec) => spec.flatMap((one, slot) => (one ? [{ slot, spec: one }] : []));
const targetOf = (spec: Spec, field: FieldSpec) =>
  present(spec)[field.target % present(spec).length] as { slot: number; spec: ModelSpec };

function compile(spec: Spec): Schema {
  const declared: Record<string, DeclaredModel> = {};
  for (const { slot, spec: one } of present(spec)) {
    const members: Record<string, unknown> = one.serial ? { id: serial() } : {};
    one.fields.forEach((field, index) => {
      if (!field) return;
      let member: Field<unknown, Flag> =
        field.kind === "ref"
          ? (belongsTo(() => ({ name: modelName(targetOf(spec, field).slot, targetOf(spec, field).spec) })) as never)
          : makeField(field.kind);
      if (field.optional) member = member.optional();
      if (field.filled && field.kind !== "ref") member = member.default(fills[field.kind]);
      if (field.unique && !["boolean", "choice"].includes(field.kind)) member = member.unique();
      if (field.renamed) member = member.was(`part${index}`);
      if (field.column) member = member.column(`odd "${index}`);
      members[fieldName(index, field)] = member;
    });
    let made = model(modelName(slot, one), members as Record<string, Field<unknown>>);
    one.fields.forEach((field, index) => {
      if (field?.indexed && field.kind !== "json") made = made.index(fieldName(index, field));
    });
    if (one.trash) made = made.softDelete() as unknown as typeof made;
    if (one.renamed) made = made.was(`things${slot}`);
    declared[made.name] = made as unknown as DeclaredModel;
  }
  return compileSchema(declared);
}

const idOf = (slot: number, spec: ModelSpec, row: number): Value =>
  spec.serial ? row + 1 : `00000000-0000-7000-8000-00000000${slot}00${row}`;

async function fill(database: Database, spec: Spec, schema: Schema): Promise<void> {
  const statements = present(spec).flatMap(({ slot, spec: one }) => {
    const table = schema.models.get(modelName(slot, one))?.table ?? "";
    return Array.from({ length: rowsEach }, (_, row) => {
      const values = new Map<string, Value>([
        ["id", idOf(slot, one, row)],
        ["version", 1],
      ]);
      one.fields.forEach((field, index) => {
        if (!field || (field.optional && row === 0)) return;
        const column = schema.models.get(modelName(slot, one))?.fields.get(fieldName(index, field))?.column ?? "";
        const target = field.kind === "ref" ? targetOf(spec, field) : null;
        values.set(column, target ? idOf(target.slot, target.spec, row) : stored[field.kind as Exclude<Kind, "ref">](row));
      });
      const names = [...values.keys()].map((name) => ddl.quote(name)).join(", ");
      return {
        text: `INSERT INTO ${ddl.quote(table)} (${names}) VALUES (${[...values].map(() => "?").join(", ")})`,
        params: [...values.values()],
      };
    });
  });
  await database.migrate(statements);
}

/** Every value of what is kept under one name through the migration, by the new schema's names. */
async function keptValues(database: Database, specs: { from: Spec; to: Spec }, side: "from" | "to"): Promise<unknown> {
  const schema = compile(specs[side]);
  const found: Record<string, unknown> = {};
  for (const { slot, spec } of present(specs.to)) {
    const earlier = specs.from[slot];
    if (!earlier) continue;
    const own = side === "from" ? earlier : spec;
    const compiled = schema.models.get(modelName(slot, own));
    const columns = spec.fields.flatMap((field, index) => {
      const was = earlier.fields[index];
      const stays = field && was && field.kind === was.kind && field.optional === was.optional;
      if (!stays || (field.kind === "ref" && targetOf(specs.from, was).slot !== targetOf(specs.to, field).slot)) return [];
      return [ddl.quote(compiled?.fields.get(fieldName(index, side === "from" ? was : field))?.column ?? "")];
    });
    const text = `SELECT ${['"id"', '"version"', ...columns].join(", ")} FROM ${ddl.quote(compiled?.table ?? "")} ORDER BY 1`;
    found[`slot ${slot}`] = await database.read({ text, params: [] });
  }
  return found;
}

async function structures(database: Database): Promise<unknown> {
  return (await ddl.catalogue.readStructures(readerOf(database))).tables;
}

async function wipe(database: Database): Promise<void> {
  const tables = await ddl.catalogue.readTables(readerOf(database));
  await database.migrate(tables.map((table) => ({ text: `DROP TABLE ${ddl.quote(table)}`, params: [] })));
}

const clock = () => 1_767_225_600_000;
const seed = Number(process.env["SEED"] ?? 20_261_121);
const numRuns = Number(process.env["RUNS"] ?? 150);

describe("from any schema to any other", () => {
  let database: Database;
  let fresh: Database;
  before(() => {
    database = openSqlite({ file: ":memory:" });
    fresh = openSqlite({ file: ":memory:" });
  });
  after(() => Promise.all([database.close(), fresh.close()]));
  const outcomes = { applied: 0, refused: 0, undone: 0 };

  async function make(into: Database, schema: Schema): Promise<Plan> {
    await wipe(into);
    const plan = planMigration(null, { schema, ddl, nowMs: clock() });
    await applyMigration({ database: into, ddl, clock }, plan, { head: null });
    return plan;
  }

  async function check(specs: { from: Spec; to: Spec }, sabotage = ""): Promise<void> {
    const context = { database, ddl, clock };
    const schemas = { from: compile(specs.from), to: compile(specs.to) };
    await make(database, schemas.from);
    await make(fresh, schemas.to);
    await fill(database, specs.from, schemas.from);
    const [structureBefore, valuesBefore] = [await structures(database), await keptValues(database, specs, "from")];
    const head = await readHead(database, ddl);
    const plan = planMigration(await readSnapshot({ database, ddl }, head), { schema: schemas.to, ddl, nowMs: clock() });
    try {
      await applyMigration(context, plan, { head, confirmations: phrasesOf(plan.steps) });
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === "migration_refused", String((error as Error).cause ?? error));
      assert.deepEqual(await structures(database), structureBefore);
      outcomes.refused++;
      return;
    }
    outcomes.applied++;
    if (sabotage !== "") await database.migrate([{ text: sabotage, params: [] }]);
    assert.deepEqual(await structures(database), await structures(fresh));
    assert.deepEqual(await findDrift(database, plan.to, ddl), []);
    assert.deepEqual(await keptValues(database, specs, "to"), valuesBefore);
    assert.deepEqual(await ddl.catalogue.verify(readerOf(database)), []);
    try {
      const down = await planDown(context);
      await migrateDown(context, down, phrasesOf(down.steps));
    } catch (error) {
      assert.ok(
        error instanceof AppError && ["migration_refused", "migration_irreversible"].includes(error.code),
        String((error as Error).cause ?? error),
      );
      return;
    }
    outcomes.undone++;
    assert.deepEqual(await structures(database), structureBefore);
    assert.deepEqual(await keptValues(database, specs, "from"), valuesBefore);
  }

  test(`seed ${seed}`, async () => {
    await fc.assert(
      fc.asyncProperty(pairArbitrary, (specs) => check(specs)),
      { seed, numRuns },
    );
    assert.ok(outcomes.applied > numRuns / 4 && outcomes.refused > 0 && outcomes.undone > numRuns / 20, JSON.stringify(outcomes));
  });

  test("planted faults: a lost row, a lost value and a lost index are found", async () => {
    const field: FieldSpec = {
      kind: "text",
      optional: false,
      filled: false,
      unique: false,
      indexed: true,
      renamed: false,
      column: false,
      target: 0,
    };
    const from: Spec = [{ serial: false, trash: false, renamed: false, fields: [field] }];
    const to: Spec = [{ serial: false, trash: true, renamed: true, fields: [{ ...field, renamed: true }] }];
    await check({ from, to });
    const faults = [
      "DELETE FROM things0_new WHERE id = (SELECT min(id) FROM things0_new)",
      "UPDATE things0_new SET part0_new = 'x'",
      "DROP INDEX things0_new_part0_new_idx",
    ];
    for (const fault of faults) await assert.rejects(check({ from, to }, fault), assert.AssertionError, fault);
  });
});
