/** Makes the twin of a world: other rows and values wherever a viewer may not read, and the same wherever they may. */
import { system } from "../../src/engine/actor.ts";
import { ask } from "./answers.ts";
import { type Loaded, open, type Between } from "./load.ts";
import { makeUuid, makeValue } from "./make-values.ts";
import type { Random } from "./random.ts";
import { hasField, holds, settle, wholeSight } from "./rules.ts";
import { evaluate } from "./values.ts";
import { type FieldDef, fieldOf, type ModelDef, modelOf, type Row, type Viewer, type World } from "./world.ts";

export interface Twin {
  readonly world: World;
  /** Changes that the viewer must not notice. */
  readonly changes: number;
  /** Rows of either world that the viewer may not read, and of neither that they may. */
  readonly unseen: readonly { readonly model: string; readonly id: string }[];
}

type Draft = Record<string, unknown>;

/** Changes what the viewer cannot read, one change at a time; what would show is taken back. */
export function makeTwin(loaded: Loaded, viewer: Viewer, random: Random): Twin {
  const rows = new Map([...loaded.world.rows].map(([name, all]) => [name, all.map((row): Draft => ({ ...row }))]));
  const world: World = { ...loaded.world, rows };
  const seen = viewOf(loaded.world, viewer);
  const unseen: { model: string; id: string }[] = [];
  let changes = 0;
  for (let tries = 0; tries < 60; tries++) {
    const model = random.pick([...world.models.values()]);
    const all = rows.get(model.name) as Draft[];
    const undo = random.chance(0.75)
      ? changeValue(world, model, random)
      : random.chance(0.5)
        ? addRow(world, model, random)
        : removeRow(world, model, random);
    if (!undo) continue;
    if (viewOf(world, viewer) === seen) changes++;
    else rows.set(model.name, undo(all));
  }
  for (const model of world.models.values()) {
    const ids = (closed: boolean) => [loaded.world, world].flatMap((one) => idsOf(one, { model, viewer, closed }));
    const open = new Set(ids(false));
    for (const id of new Set(ids(true))) if (!open.has(id)) unseen.push({ model: model.name, id });
  }
  return { world, changes, unseen };
}

function idsOf(world: World, { model, viewer, closed }: { model: ModelDef; viewer: Viewer; closed: boolean }): string[] {
  const seen = { whole: wholeSight(world), viewer };
  const rows = (world.rows.get(model.name) ?? []).filter((row) => holds(model.rules.read, [{ model, row }], seen) !== closed);
  return rows.map((row) => idOf(model, row));
}

type Undo = (rows: Draft[]) => Draft[];

function changeValue(world: World, model: ModelDef, random: Random): Undo | null {
  const rows = world.rows.get(model.name) as Draft[];
  const fields = model.fields.filter(
    (field) => field.filled === "caller" && !field.computed && !field.unique && !model.key.includes(field.name),
  );
  if (rows.length === 0 || fields.length === 0) return null;
  const row = random.pick(rows);
  const before = { ...row };
  for (const field of random.some(fields, 3)) {
    // A key leads to a row made before, and always to one that is there.
    if (field.target !== model.name) row[field.name] = otherValue(world, field, random);
  }
  recompute(model, row);
  return (all) => all.map((one) => (one === row ? Object.assign(row, before) : one));
}

function otherValue(world: World, field: FieldDef, random: Random): unknown {
  if (field.optional && random.chance(0.2)) return null;
  if (!field.target) return makeValue(random, field);
  const target = modelOf(world, field.target);
  return random.pick(world.rows.get(target.name) ?? [])?.[target.key[0] as string] ?? null;
}

function recompute(model: ModelDef, row: Draft): void {
  for (const field of model.fields) if (field.computed) row[field.name] = evaluate(field, row, model.fields);
}

function addRow(world: World, model: ModelDef, random: Random): Undo | null {
  const rows = world.rows.get(model.name) as Draft[];
  if (rows.length === 0 || model.key[0] !== "id" || fieldOf(model, "id")?.kind !== "uuid") return null;
  if (model.fields.some((field) => field.unique)) return null;
  const row: Draft = { ...random.pick(rows), id: makeUuid(random, 2 ** 40) };
  for (const field of model.fields)
    if (field.filled === "caller" && !field.computed && !field.target && field.name !== "id")
      row[field.name] = makeValue(random, field);
  recompute(model, row);
  rows.push(row);
  return (all) => all.filter((one) => one !== row);
}

function removeRow(world: World, model: ModelDef, random: Random): Undo | null {
  const rows = world.rows.get(model.name) as Draft[];
  // The counter of a serial key would go another way.
  if (rows.length === 0 || fieldOf(model, model.key[0] as string)?.filled === "serial") return null;
  const row = random.pick(rows);
  const key = row[model.key[0] as string];
  const isNeeded = [...world.models.values()].some((other) =>
    other.fields.some(
      (field) => field.target === model.name && (world.rows.get(other.name) ?? []).some((one) => one[field.name] === key),
    ),
  );
  if (isNeeded) return null;
  const at = rows.indexOf(row);
  rows.splice(at, 1);
  return (all) => all.toSpliced(at, 0, row);
}

/** All that a viewer can read of a world, as text. */
function viewOf(world: World, viewer: Viewer): string {
  const { sight } = ask(world, viewer);
  const seen = { whole: wholeSight(world), viewer };
  const models = [...world.models.values()].filter((model) => settle(model.rules.read, viewer) !== false);
  return JSON.stringify(
    models.map((model) => {
      const names = model.fields.map(({ name }) => name).filter((name) => hasField(model, name, viewer));
      const rows = (world.rows.get(model.name) ?? []).filter((row) => {
        const at = [{ model, row }];
        const isInTrash = row["deletedAt"] !== undefined && row["deletedAt"] !== null;
        return isInTrash ? holds(model.rules.read, at, seen) && holds(model.rules.delete, at, seen) : sight.sees(model, row);
      });
      const told = rows.map((row) =>
        JSON.stringify([
          holds(model.rules.delete, [{ model, row }], seen),
          ...names.map((name) => sight.value(model, row, name)),
        ]),
      );
      return [model.name, told.toSorted()];
    }),
  );
}

function idOf(model: ModelDef, row: Row): string {
  const parts = model.key.map((name) => String(row[name] as string | number));
  return parts.length === 1
    ? (parts[0] as string)
    : parts.map((part) => part.replaceAll("%", "%25").replaceAll(",", "%2C")).join(",");
}

/** Opens a second engine that holds exactly these rows. */
export async function loadTwin(world: World, between: Between): Promise<Loaded> {
  const opened = await open(world.models, between);
  const ids = new Map<Row, string>();
  const write = (call: Parameters<Loaded["engine"]["execute"]>[0]) =>
    opened.engine.execute(call, { actor: system, requestId: null });
  for (const model of world.models.values()) {
    for (const row of world.rows.get(model.name) ?? []) {
      const given = model.fields
        .filter((field) => field.filled !== "engine" && !field.computed)
        .map(({ name }) => [name, row[name]]);
      opened.setNow((row["createdAt"] as string | undefined) ?? world.now);
      await write({ op: "create", model: model.name, data: Object.fromEntries(given), returning: { minimal: true } });
      ids.set(row, idOf(model, row));
    }
  }
  for (const model of world.models.values()) {
    for (const row of world.rows.get(model.name) ?? []) {
      if (!model.softDelete || row["deletedAt"] === null) continue;
      opened.setNow(row["deletedAt"] as string);
      await write({ op: "delete", model: model.name, id: idOf(model, row) });
    }
  }
  opened.setNow(world.now);
  return { ...opened, ids, world };
}
