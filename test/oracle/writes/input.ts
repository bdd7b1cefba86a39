/** What a caller may write, and what of it does not fit: the oracle's reading of input. */
import { OracleRefusal } from "../refusals.ts";
import { hasField } from "../rules.ts";
import { units } from "../values.ts";
import { type FieldDef, fieldOf, type ModelDef, type Row, type Viewer } from "../world.ts";

export interface Given {
  readonly sets: Row;
  /** Amounts to add. */
  readonly adds: Row;
}

interface Reading {
  readonly viewer: Viewer;
  readonly mode: "create" | "update";
}

/** @throws OracleRefusal invalid_input */
export function readGiven(model: ModelDef, data: Row, { viewer, mode }: Reading): Given {
  const sets: Record<string, unknown> = {};
  const adds: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(data)) {
    const field = fieldOf(model, name);
    const refused =
      !field ||
      !hasField(model, name, viewer) ||
      field.computed !== null ||
      field.filled !== "caller" ||
      field.write?.guard === "readOnly" ||
      (mode === "update" && (field.write?.guard === "immutable" || model.key.includes(name)));
    if (refused) throw new OracleRefusal("invalid_input");
    const amount = mode === "update" ? amountOf(field, value) : undefined;
    if (amount !== undefined) adds[name] = amount;
    else if (fits(field, value)) sets[name] = value;
    else throw new OracleRefusal("invalid_input");
  }
  return { sets, adds };
}

const numeric = new Set(["integer", "bigint", "decimal", "float"]);

function amountOf(field: FieldDef, value: unknown): unknown {
  const isAmount = numeric.has(field.kind) && typeof value === "object" && value !== null && "$add" in value;
  return isAmount ? value.$add : undefined;
}

function fits(field: FieldDef, value: unknown): boolean {
  if (value === null) return field.optional;
  return value !== misfit && isWithin(field, value);
}

/** A value of no kind: what the maker of writes gives where it wants a fault. */
export const misfit = "\u0000";

/** Whether a number is one that the field can hold. */
export function isWithin(field: FieldDef, value: unknown): boolean {
  const [min, max] = field.write?.bounds ?? [];
  if (min !== undefined && max !== undefined && (Number(value) < min || Number(value) > max)) return false;
  if (field.kind === "integer") return Number.isSafeInteger(value);
  if (field.kind === "bigint") return BigInt.asIntN(64, BigInt(value as string)) === BigInt(value as string);
  if (field.kind !== "decimal") return true;
  const count = units(String(value as string), field.scale ?? 0);
  return (count < 0n ? -count : count) < 10n ** BigInt(field.precision ?? 18);
}

/** The whole row of a create: what is left out is null, and refused where that may not be. */
export function complete(model: ModelDef, sets: Row): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const field of model.fields) {
    if (field.computed || field.filled !== "caller") continue;
    row[field.name] = sets[field.name] ?? null;
    if (row[field.name] === null && !field.optional) throw new OracleRefusal("invalid_input");
  }
  return row;
}
