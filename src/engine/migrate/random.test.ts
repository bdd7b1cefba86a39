/** Random schemas: migrated from one to another over rows, a database is as a fresh one, and nothing that is kept is lost. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { needsService } from "../../../test/needs.ts";
import { freshDatabase } from "../../../test/servers/databases.ts";
import { serviceUrl } from "../../../test/servers/names.ts";
import { AppError } from "../../base/errors.ts";
import type { Database, Value } from "../../drivers/database.ts";
import type { Ddl, ValueForm } from "../../drivers/ddl.ts";
import { openMysql } from "../../drivers/database/mysql/mysql.ts";
import { openPostgres } from "../../drivers/database/postgres/postgres.ts";
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
import type { Field as CompiledField, Model, Schema } from "../../schema/schema.ts";
import { applyMigration } from "./apply/apply.ts";
import { migrateDown, planDown } from "./apply/down.ts";
import { findDrift } from "./journal/drift.ts";
import { readerOf, readHead, readSnapshot } from "./journal/journal.ts";
import { findLarge } from "./plan/large.ts";
import { phrasesOf, planMigration } from "./plan/plan.ts";
import { type Languages, mariadb, postgres, sqlite } from "./scratch.test.ts";
import { storedFields } from "./snapshot/snapshot.ts";

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

/** A database that is migrated, and one that is made anew each time. */
interface World extends Languages {
  readonly database: Database;
  readonly fresh: Database;
  /** Whether every table counts as one with many rows. */
  readonly isLarge: boolean;
}

interface Specs {
  readonly from: Spec;
  readonly to: Spec;
}

/** What became of a pair of schemas; the reasons of a refusal, or every value of every table. */
interface Outcome {
  readonly kind: "applied" | "refused" | "unfinished" | "undone";
  readonly says: string;
  readonly rows: unknown;
}

const outerForm = ({ type, params }: CompiledField): ValueForm => ({
  storage: type.storage,
  precision: params.precision ?? null,
  scale: params.scale ?? null,
});

async function fill({ database, ddl, put }: World, spec: Spec, schema: Schema): Promise<void> {
  const statements = present(spec).flatMap(({ slot, spec: one }) => {
    const compiled = schema.models.get(modelName(slot, one));
    return Array.from({ length: rowsEach }, (_, row) => {
      const values = new Map<string, Value>([
        ["id", idOf(slot, one, row)],
        ["version", 1],
      ]);
      one.fields.forEach((field, index) => {
        if (!field || (field.optional && row === 0)) return;
        const column = compiled?.fields.get(fieldName(index, field))?.column ?? "";
        const target = field.kind === "ref" ? targetOf(spec, field) : null;
        values.set(column, target ? idOf(target.slot, target.spec, row) : stored[field.kind as Exclude<Kind, "ref">](row));
      });
      const fields = new Map(storedFields(compiled as Model).map((field) => [field.column, field]));
      const names = [...values.keys()].map((name) => ddl.quote(name)).join(", ");
      const places = [...values.keys()].map((name) => put(outerForm(fields.get(name) as CompiledField)));
      return {
        text: `INSERT INTO ${ddl.quote(compiled?.table ?? "")} (${names}) VALUES (${places.join(", ")})`,
        params: [...values.values()],
      };
    });
  });
  await database.migrate(statements);
}

/** Every value of what is kept under one name through the migration, by the new schema's names. */
async function keptValues(world: World, specs: Specs, side: "from" | "to"): Promise<unknown> {
  const { database, ddl } = world;
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

/** Every value of every table, in words that all products share. */
async function allValues({ database, ddl, get }: World, schema: Schema): Promise<unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, compiled] of schema.models) {
    const columns = storedFields(compiled).map((field) => get(outerForm(field), ddl.quote(field.column)));
    const text = `SELECT ${columns.join(", ")} FROM ${ddl.quote(compiled.table)} ORDER BY "id"`;
    found[name] = await database.read({ text, params: [] });
  }
  return found;
}

async function structures(database: Database, ddl: Ddl): Promise<unknown> {
  return (await ddl.catalogue.readStructures(readerOf(database))).tables;
}

async function wipe(database: Database, ddl: Ddl): Promise<void> {
  const tables = (await ddl.catalogue.readTables(readerOf(database))).map((table) => ddl.quote(table));
  const drops = ddl.references === null ? tables : tables.length === 0 ? [] : [tables.join(", ")];
  await database.migrate(drops.map((drop) => ({ text: `DROP TABLE ${drop}`, params: [] })));
}

async function make(into: Database, ddl: Ddl, schema: Schema): Promise<void> {
  await wipe(into, ddl);
  const plan = planMigration(null, { schema, ddl, nowMs: clock() });
  await applyMigration({ database: into, ddl, clock }, plan, { head: null });
}

/** Migrates there, and back where there is a way back, and judges every state. */
async function check(world: World, specs: Specs, sabotage = ""): Promise<Outcome> {
  const { database, ddl, fresh, isLarge } = world;
  const context = { database, ddl, clock, manyRowsMin: isLarge ? 0 : 10_000 };
  const schemas = { from: compile(specs.from), to: compile(specs.to) };
  await make(database, ddl, schemas.from);
  await make(fresh, ddl, schemas.to);
  await fill(world, specs.from, schemas.from);
  const [structureBefore, valuesBefore] = [await structures(database, ddl), await keptValues(world, specs, "from")];
  const head = await readHead(database, ddl);
  const snapshot = await readSnapshot(database, head);
  const large = await findLarge(context, snapshot);
  const plan = planMigration(snapshot, { schema: schemas.to, ddl, nowMs: clock(), large });
  try {
    await applyMigration(context, plan, { head, confirmations: phrasesOf(plan.steps) });
  } catch (error) {
    const kind = refusalOf(error, isLarge ? ["migration_refused", "migration_unfinished"] : ["migration_refused"]);
    if (kind === "refused") assert.deepEqual(await structures(database, ddl), structureBefore);
    return { kind, says: (error as Error).message, rows: null };
  }
  if (sabotage !== "") await database.migrate([{ text: sabotage, params: [] }]);
  assert.deepEqual(await structures(database, ddl), await structures(fresh, ddl));
  assert.deepEqual(await findDrift(database, plan.to, ddl), []);
  assert.deepEqual(await keptValues(world, specs, "to"), valuesBefore);
  assert.deepEqual(await ddl.catalogue.verify(readerOf(database)), []);
  const rows = await allValues(world, schemas.to);
  try {
    const down = await planDown(context);
    await migrateDown(context, down, phrasesOf(down.steps));
  } catch (error) {
    refusalOf(error, ["migration_refused", "migration_irreversible", ...(isLarge ? ["migration_unfinished"] : [])]);
    return { kind: "applied", says: (error as Error).message, rows };
  }
  assert.deepEqual(await structures(database, ddl), structureBefore);
  assert.deepEqual(await keptValues(world, specs, "from"), valuesBefore);
  return { kind: "undone", says: "", rows };
}

function refusalOf(error: unknown, codes: readonly string[]): "refused" | "unfinished" {
  assert.ok(error instanceof AppError && codes.includes(error.code), String((error as Error).cause ?? error));
  return error.code === "migration_unfinished" ? "unfinished" : "refused";
}

const clock = () => 1_767_225_600_000;
const seed = Number(process.env["SEED"] ?? 20_261_121);
const runsOf = (runs: number) => Number(process.env["RUNS"] ?? runs);

interface Opened {
  readonly database: Database;
  readonly close: () => Promise<void>;
}

async function openInMemory(): Promise<Opened> {
  const database = openSqlite({ file: ":memory:" });
  return { database, close: () => database.close() };
}

async function openOnPostgres(): Promise<Opened> {
  const { url, drop } = await freshDatabase(serviceUrl("postgres"));
  const database = await openPostgres({ url });
  return { database, close: () => database.close().then(drop) };
}

async function openOnMariadb(): Promise<Opened> {
  const { url, drop } = await freshDatabase(serviceUrl("mariadb"));
  const database = await openMysql({ url });
  return { database, close: () => database.close().then(drop) };
}

/** Two databases of a product for the tests around it. */
function prepareWorld(languages: Languages, open: () => Promise<Opened>, isLarge = false): () => World {
  let opened: readonly Opened[] = [];
  before(async () => {
    opened = await Promise.all([open(), open()]);
  });
  after(() => Promise.all(opened.map(({ close }) => close())));
  return () => ({
    ...languages,
    database: (opened[0] as Opened).database,
    fresh: (opened[1] as Opened).database,
    isLarge,
  });
}

async function checkMany(numRuns: number, checkOne: (specs: Specs) => Promise<Outcome>): Promise<void> {
  const counts = { applied: 0, refused: 0, unfinished: 0, undone: 0 };
  await fc.assert(
    fc.asyncProperty(pairArbitrary, async (specs) => void counts[(await checkOne(specs)).kind]++),
    { seed, numRuns },
  );
  const { undone, refused, applied } = counts;
  assert.ok(applied + undone > numRuns / 4 && refused > 0 && undone > numRuns / 20, JSON.stringify(counts));
}

async function findFaults(world: World): Promise<void> {
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
  await check(world, { from, to });
  const faults = [
    "DELETE FROM things0_new WHERE id = (SELECT id FROM things0_new ORDER BY id LIMIT 1)",
    "UPDATE things0_new SET part0_new = 'x'",
    `DROP INDEX things0_new_part0_new_idx${world.product === "mysql" ? " ON things0_new" : ""}`,
  ];
  for (const fault of faults) await assert.rejects(check(world, { from, to }, fault), assert.AssertionError, fault);
}

describe("from any schema to any other, on SQLite", () => {
  const world = prepareWorld(sqlite, openInMemory);
  test(`seed ${seed}`, () => checkMany(runsOf(150), (specs) => check(world(), specs)));
  test("planted faults: a lost row, a lost value and a lost index are found", () => findFaults(world()));
});

describe("from any schema to any other, on PostgreSQL", needsService("postgres"), () => {
  const world = prepareWorld(postgres, openOnPostgres);
  const other = prepareWorld(sqlite, openInMemory);
  test(`seed ${seed}: as on SQLite, with the same rows and the same words`, () =>
    checkMany(runsOf(40), async (specs) => {
      const [ours, theirs] = [await check(world(), specs), await check(other(), specs)];
      assert.deepEqual(ours, theirs);
      return ours;
    }));
  test("planted faults: a lost row, a lost value and a lost index are found", () => findFaults(world()));
});

describe("from any schema to any other, on PostgreSQL, where nobody waits for rows", needsService("postgres"), () => {
  const world = prepareWorld(postgres, openOnPostgres, true);
  const other = prepareWorld(sqlite, openInMemory);
  test(`seed ${seed}`, () =>
    checkMany(runsOf(40), async (specs) => {
      const [ours, theirs] = [await check(world(), specs), await check(other(), specs)];
      assert.deepEqual(ours.rows, theirs.rows);
      return ours;
    }));
});

describe("from any schema to any other, on MariaDB", needsService("mariadb"), () => {
  const world = prepareWorld(mariadb, openOnMariadb);
  const other = prepareWorld(sqlite, openInMemory);
  // What SQLite finds while it migrates is asked beforehand here, so a refusal may name more.
  test(`seed ${seed}: as on SQLite, with the same rows`, () =>
    checkMany(runsOf(40), async (specs) => {
      const [ours, theirs] = [await check(world(), specs), await check(other(), specs)];
      assert.deepEqual({ ...ours, says: "" }, { ...theirs, says: "" });
      return ours;
    }));
  test("planted faults: a lost row, a lost value and a lost index are found", () => findFaults(world()));
});
