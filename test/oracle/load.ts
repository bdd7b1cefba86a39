/** Opens an engine on an empty database for a description and fills it with random rows, through `system`. */
import { createIdMaker } from "../../src/base/ids.ts";
import { openDatabase } from "../../src/app/wire.ts";
import type { Database } from "../../src/drivers/database.ts";
import type { Dialect } from "../../src/drivers/dialect.ts";
import { system } from "../../src/engine/actor.ts";
import type { Call, Result } from "../../src/engine/call.ts";
import { createEngine } from "../../src/engine/create.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { ensureSchema } from "../../src/engine/migrate/ensure.ts";
import { compileSchema } from "../../src/schema/compile.ts";
import { openFresh } from "../fresh.ts";
import type { FreshDatabase } from "../servers/databases.ts";
import { declareBackend } from "./declare.ts";
import { makeUuid, makeValue } from "./make-values.ts";
import type { Random } from "./random.ts";
import { evaluate } from "./values.ts";
import { type FieldDef, fieldOf, modelOf, type ModelDef, type Row, type World } from "./world.ts";

export interface Loaded {
  readonly engine: Engine;
  readonly database: Database;
  readonly world: World;
  /** The id on the wire of each row. */
  readonly ids: ReadonlyMap<Row, string>;
  /** Sets what the clock says. */
  readonly setNow: (now: string) => void;
}

/** What a planted fault puts between the engine and the database. */
export interface Between {
  readonly models?: (models: ReadonlyMap<string, ModelDef>) => ReadonlyMap<string, ModelDef>;
  readonly dialect?: (dialect: Dialect) => Dialect;
  readonly database?: (database: Database) => Database;
}

export interface LoadOptions {
  readonly models: ReadonlyMap<string, ModelDef>;
  readonly random: Random;
  readonly between?: Between;
  readonly rowsMax?: number;
  /** Makes the empty database. @default the one that the suite runs on */
  readonly openEmpty?: () => Promise<FreshDatabase>;
}

const asked = "2026-11-21T09:30:00.000Z";

export async function load({ models, random, between = {}, rowsMax = 24, openEmpty = openFresh }: LoadOptions): Promise<Loaded> {
  const opened = await open(models, between, openEmpty);
  const rows = new Map<string, Row[]>();
  const ids = new Map<Row, string>();
  const filling: Filling = { ...opened, random, models, rows, ids, deleted: [] };
  for (const model of models.values()) {
    rows.set(model.name, []);
    for (let left = random.chance(0.05) ? 0 : 3 + random.int(rowsMax); left > 0; left--) await addRow(filling, model);
  }
  for (const { model, row } of filling.deleted) await deleteRow(filling, model, row);
  opened.setNow(asked);
  return { ...opened, ids, world: { models, rows, now: asked } };
}

/** An engine on an empty database. */
export async function open(
  models: ReadonlyMap<string, ModelDef>,
  between: Between = {},
  openEmpty: () => Promise<FreshDatabase> = openFresh,
): Promise<Pick<Loaded, "engine" | "database" | "setNow">> {
  const declared = declareBackend(between.models?.(models) ?? models);
  const schema = compileSchema(declared.spec.models as never);
  const fresh = await openEmpty();
  const opened = await openDatabase(fresh.url, (kind, message) => {
    throw new Error(`${kind}: ${message}`);
  });
  const close = async () => {
    await opened.database.close();
    await fresh.drop();
  };
  const database: Database = { ...opened.database, close };
  let now = Date.parse(asked);
  const clock = () => now;
  const newId = createIdMaker(clock);
  await ensureSchema({ database, schema, ddl: opened.ddl, clock }, { mode: "development" });
  const engine = createEngine(declared, {
    schema,
    clock,
    newId,
    database: between.database?.(database) ?? database,
    dialect: between.dialect?.(opened.dialect) ?? opened.dialect,
    commits: opened.ddl.catalogue.commits,
    cursorKey: new Uint8Array(32),
    onListenerError: (error) => {
      throw error;
    },
  });
  const setNow = (time: string) => {
    now = Date.parse(time);
  };
  return { engine, database, setNow };
}

interface Filling extends Pick<Loaded, "engine" | "setNow" | "database"> {
  readonly random: Random;
  readonly models: ReadonlyMap<string, ModelDef>;
  readonly rows: Map<string, Row[]>;
  readonly ids: Map<Row, string>;
  readonly deleted: { readonly model: ModelDef; readonly row: Row }[];
}

const stampField: FieldDef = {
  name: "",
  kind: "datetime",
  optional: false,
  hidden: false,
  unique: false,
  computed: null,
  target: null,
  filled: "engine",
  small: false,
};

async function addRow(filling: Filling, model: ModelDef): Promise<void> {
  const { random } = filling;
  const data: Record<string, unknown> = {};
  for (const field of model.fields) {
    if (field.filled !== "caller" || field.computed) continue;
    const value = field.target
      ? pickKey(filling, model, field)
      : field.optional && random.chance(0.3)
        ? null
        : fresh(filling, model, field);
    if (value === undefined) return;
    data[field.name] = value;
  }
  if (isTaken(filling, model, data)) return;
  const stamp = makeValue(random, stampField) as string;
  filling.setNow(stamp);
  const made = await run(filling.engine, { op: "create", model: model.name, data, returning: { minimal: true } });
  if (made.kind !== "row") throw new Error("a create gives a row");
  const row: Record<string, unknown> = { ...data, version: 1 };
  if (fieldOf(model, "id")?.filled === "serial") row["id"] = Number(made.id);
  if (model.timestamps) Object.assign(row, { createdAt: stamp, updatedAt: stamp });
  if (model.softDelete) row["deletedAt"] = null;
  for (const field of model.fields) if (field.computed) row[field.name] = evaluate(field, row, model.fields);
  filling.rows.get(model.name)?.push(row);
  filling.ids.set(row, made.id);
  if (model.softDelete && random.chance(0.2)) filling.deleted.push({ model, row });
}

function fresh({ random }: Filling, model: ModelDef, field: FieldDef): unknown {
  return field.name === "id" && model.key.includes("id") ? makeUuid(random, 2 ** 40) : makeValue(random, field);
}

// The key of a row that is there; a unique relation takes each row once.
function pickKey({ random, rows, models }: Filling, model: ModelDef, field: FieldDef): unknown {
  const target = modelOf({ models }, field.target as string);
  const used = new Set(field.unique ? (rows.get(model.name) ?? []).map((row) => row[field.name]) : []);
  const able = (rows.get(target.name) ?? []).map((row) => row[target.key[0] as string]).filter((key) => !used.has(key));
  if (field.optional && (able.length === 0 || random.chance(0.25))) return null;
  // Few rows get many, so that pages and limits within relations matter.
  return able.length === 0 ? undefined : random.chance(0.4) ? able[0] : random.pick(able);
}

function isTaken({ rows }: Filling, model: ModelDef, data: Row): boolean {
  const key = (row: Row) => JSON.stringify(model.key.map((name) => row[name]));
  return (
    !("filled" in data) &&
    model.key.every((name) => name in data) &&
    (rows.get(model.name) ?? []).some((row) => key(row) === key(data))
  );
}

async function deleteRow(filling: Filling, model: ModelDef, row: Row): Promise<void> {
  const stamp = makeValue(filling.random, stampField) as string;
  filling.setNow(stamp);
  const id = filling.ids.get(row) as string;
  try {
    await run(filling.engine, { op: "delete", model: model.name, id });
  } catch (error) {
    if ((error as { code?: string }).code === "still_referenced") return;
    throw error;
  }
  const kept = await run(filling.engine, { op: "list", model: model.name, query: { trash: "only", limit: 100 } });
  const changed = (kept.kind === "list" ? kept.rows : [])
    .map((text) => JSON.parse(text) as Row)
    .find((one) => model.key.every((name) => one[name] === row[name]));
  if (!changed) throw new Error(`a deleted row of ${model.name} is not in the trash`);
  Object.assign(
    row,
    { deletedAt: stamp, version: changed["version"] },
    model.timestamps ? { updatedAt: changed["updatedAt"] } : {},
  );
}

async function run(engine: Engine, call: Call): Promise<Result> {
  return (await engine.execute(call, { actor: system, requestId: null })).result;
}
