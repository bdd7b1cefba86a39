/** Random writes that mostly fit: of every kind, on rows that are there, gone, or in the trash. */
import type { BatchOp, Call, Where } from "../../../src/engine/call.ts";
import { makeWhere, type Making } from "../make-query.ts";
import { makeUuid, makeValue } from "../make-values.ts";
import type { Random } from "../random.ts";
import { hasField } from "../rules.ts";
import { type FieldDef, fieldOf, type ModelDef, modelOf, type Row } from "../world.ts";
import { misfit } from "./input.ts";
import { idOf } from "./state.ts";

type Of<Op extends string, More> = { readonly op: Op; readonly model: string } & More;
export type One =
  | Of<"create", { readonly data: Row }>
  | Of<"update", { readonly id: string; readonly data: Row; readonly ifVersion?: number | undefined }>
  | Of<"put", { readonly id: string; readonly key: Row; readonly data: Row; readonly ifVersion?: number | undefined }>
  | Of<"upsert", { readonly data: Row; readonly onConflict: readonly string[]; readonly onConflictDo: "update" | "nothing" }>
  | Of<"delete", { readonly id: string; readonly ifVersion?: number | undefined; readonly purge?: boolean }>
  | Of<"restore", { readonly id: string }>
  | Of<"updateMany", { readonly where: Where; readonly data: Row; readonly maxAffected: number }>
  | Of<"deleteMany", { readonly where: Where; readonly maxAffected: number }>;
/** One operation of a batch; it answers to `o` and its place. */
export interface Step {
  readonly write: One;
}
export type Write = One | { readonly op: "batch"; readonly atomic: boolean; readonly steps: readonly Step[] };

const kinds = [
  "create",
  "create",
  "update",
  "update",
  "update",
  "put",
  "upsert",
  "delete",
  "restore",
  "updateMany",
  "deleteMany",
] as const;

export function makeWrite(making: Making): Write {
  const { random } = making;
  if (!random.chance(0.15)) return makeOne(making, random.pick(kinds));
  const steps: Step[] = [];
  for (let left = 1 + random.int(4); left > 0; left--) {
    const write = makeOne(making, random.pick(["create", "create", "update", "delete", "upsert"] as const));
    steps.push({ write: "purge" in write ? { ...write, purge: false } : withReference(making, write, steps) });
  }
  return { op: "batch", atomic: random.chance(0.7), steps };
}

// A key that an earlier operation of the batch made.
function withReference({ random, world }: Making, write: One, steps: readonly Step[]): One {
  if (!("data" in write)) return write;
  const data: Record<string, unknown> = { ...write.data };
  for (const field of modelOf(world, write.model).fields.filter(({ target }) => target)) {
    const made = steps.flatMap(({ write: one }, index) => (one.op === "create" && one.model === field.target ? [index] : []));
    if (made.length === 0 || !random.chance(0.7)) continue;
    data[field.name] = { $ref: `o${random.pick(made)}.${modelOf(world, field.target as string).key[0]}` };
  }
  return { ...write, data };
}

function makeOne(making: Making, op: One["op"]): One {
  const { random, world } = making;
  const model = random.pick([...world.models.values()]);
  const name = model.name;
  const row = pickRow(making, model);
  const id = row ? idOf(model, row) : idOf(model, makeKey(making, model));
  const version = random.chance(0.2) ? ((row?.["version"] as number | undefined) ?? 1) + random.pick([0, 0, 1]) : undefined;
  switch (op) {
    case "create":
      return { op, model: name, data: makeData(making, model, "create") };
    case "update":
      return { op, model: name, id, data: makeData(making, model, "update"), ifVersion: version };
    case "put": {
      const key = row && random.chance(0.7) ? keyOf(model, row) : makeKey(making, model);
      const { id: _, ...data } = makeData(making, model, "put");
      for (const part of model.key) delete (data as Record<string, unknown>)[part];
      return {
        op,
        model: name,
        id: idOf(model, key),
        key,
        data,
        ifVersion: random.chance(0.15) ? random.pick([0, 1, 2]) : undefined,
      };
    }
    case "upsert":
      return { op, model: name, ...makeConflict(making, model, row) };
    case "delete":
      return { op, model: name, id, ifVersion: version, ...(model.softDelete ? { purge: random.chance(0.3) } : {}) };
    case "restore":
      return { op, model: name, id };
    default: {
      const maxAffected = random.chance(0.5) ? 100 : 1 + random.int(6);
      const where = random.chance(0.8) ? makeWhere(making, model, 1) : {};
      return op === "updateMany"
        ? { op, model: name, where, maxAffected, data: makeData(making, model, "update") }
        : { op, model: name, where, maxAffected };
    }
  }
}

function makeConflict(making: Making, model: ModelDef, row: Row | null) {
  const { random, viewer } = making;
  const uniques = model.fields.filter(({ unique, name }) => unique && hasField(model, name, viewer)).map(({ name }) => [name]);
  const able = [...(fieldOf(model, "id")?.filled === "serial" ? [] : [model.key]), ...uniques];
  const onConflict = able.length > 0 ? random.pick(able) : model.key;
  const data: Record<string, unknown> = { ...makeData(making, model, "create") };
  if (row && random.chance(0.6)) for (const name of onConflict) data[name] = row[name];
  return { data, onConflict, onConflictDo: random.pick(["update", "update", "nothing"] as const) };
}

function pickRow({ random, world }: Making, model: ModelDef): Row | null {
  const rows = world.rows.get(model.name) ?? [];
  return rows.length > 0 && random.chance(0.92) ? random.pick(rows) : null;
}

function keyOf(model: ModelDef, row: Row): Row {
  return Object.fromEntries(model.key.map((name) => [name, row[name]]));
}

function makeKey(making: Making, model: ModelDef): Row {
  return Object.fromEntries(
    model.key.map((name) => {
      const field = fieldOf(model, name) as FieldDef;
      if (field.target) return [name, pickTarget(making, field) ?? makeValue(making.random, field)];
      return [name, name === "id" && field.kind === "uuid" ? makeUuid(making.random, 2 ** 40) : makeValue(making.random, field)];
    }),
  );
}

function pickTarget({ random, world }: Making, field: FieldDef): unknown {
  const target = modelOf(world, field.target as string);
  return random.pick(world.rows.get(target.name) ?? [])?.[target.key[0] as string];
}

/** Data that mostly fits: now and then a field that is not the viewer's to write, a null, or a value of no kind. */
function makeData(making: Making, model: ModelDef, mode: "create" | "update" | "put"): Row {
  const { random, viewer } = making;
  const data: Record<string, unknown> = mode === "create" ? { ...makeOwnKey(making, model) } : {};
  for (const field of model.fields) {
    if (model.key.includes(field.name)) continue;
    const isWritable =
      field.filled === "caller" && !field.computed && field.write?.guard !== "readOnly" && hasField(model, field.name, viewer);
    const isFixed = mode !== "create" && field.write?.guard === "immutable";
    const isWanted = mode === "update" ? random.chance(0.3) : !field.optional || random.chance(0.6);
    if (!(isWritable && !isFixed ? isWanted : random.chance(0.004))) continue;
    data[field.name] = makeGiven(making, field, mode);
  }
  return data;
}

function makeOwnKey(making: Making, model: ModelDef): Row {
  return fieldOf(model, "id")?.filled === "serial" ? {} : makeKey(making, model);
}

function makeGiven(making: Making, field: FieldDef, mode: string): unknown {
  const { random } = making;
  if (random.chance(0.004)) return misfit;
  if (random.chance(field.optional ? 0.15 : 0.004)) return null;
  if (field.target) return (random.chance(0.93) ? pickTarget(making, field) : undefined) ?? makeValue(random, field);
  const isNumber = field.kind === "integer" || field.kind === "decimal" || field.kind === "bigint";
  if (mode === "update" && isNumber && random.chance(0.4)) return { $add: makeAmount(random, field) };
  return makeValue(random, field);
}

function makeAmount(random: Random, field: FieldDef): unknown {
  if (field.kind !== "integer" || random.chance(0.5)) return makeValue(random, field);
  return random.int(7) - 3;
}

/** The call of a write. */
export function toCall(write: Write): Call {
  if (write.op === "batch") {
    const ops = write.steps.map(({ write: one }, index): BatchOp => {
      const { op, model, id, purge: _, ...more } = one as One & { readonly id?: string; readonly purge?: boolean };
      return { id: `o${index}`, [op]: model, ...more, ...(id === undefined ? {} : { key: id }) };
    });
    return { op: "batch", atomic: write.atomic, ops };
  }
  if (write.op === "delete") {
    const { purge, ...rest } = write;
    return { ...rest, ...(purge ? { trash: "only" as const } : {}) };
  }
  if (write.op !== "put") return write;
  const { key: _, ...rest } = write;
  return rest;
}
