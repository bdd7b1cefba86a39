/** Documents: any JSON, or an object of declared fields; queried by path. */
import type { DocumentField, FieldParams } from "../schema.ts";
import type { Json, Value } from "../value.ts";
import { equality, type FieldType, isMisfit, type Misfit, misfit, textual, wireOf } from "./field-type.ts";

/** Longest document text and deepest nesting where the model says nothing. */
export const jsonBytesMax = 65_536;
export const jsonDepthMax = 32;

export const jsonType: FieldType = Object.freeze<FieldType>({
  name: "json",
  storage: "json",
  parse(value: unknown, params: FieldParams) {
    const checked = params.shape ? readShape(value, params.shape) : (checkJson(value, jsonDepthMax) ?? value);
    if (isMisfit(checked)) return checked;
    const text = JSON.stringify(checked);
    const max = Number(params.max ?? jsonBytesMax);
    return Buffer.byteLength(text) > max ? misfit("max", `must have at most ${max} bytes as JSON`) : text;
  },
  toWire: (value: Value) => JSON.parse(value as string) as Json,
  operators: ["isNull"],
  ordered: false,
  numeric: false,
  jsonSchema: (params: FieldParams) => (params.shape ? shapeSchema(params.shape) : {}),
});

/**
 * A value inside a document with no declared shape: compared as text, number or boolean, whichever it is given as. What is
 * parsed is its JSON, so that 1, "1" and true stay apart.
 */
export const looseType: FieldType = Object.freeze<FieldType>({
  name: "any",
  storage: "json",
  parse(value: unknown) {
    const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    return isScalar ? (checkJson(value, 0) ?? JSON.stringify(value)) : misfit("type", "must be a text, a number, true or false");
  },
  toWire: (value: Value) => JSON.parse(value as string) as Json,
  operators: [...new Set([...equality, ...textual])],
  ordered: true,
  numeric: false,
  jsonSchema: () => ({}),
});

/** A JSON Schema object of declared fields. */
export function shapeSchema(shape: ReadonlyMap<string, DocumentField>): { readonly [key: string]: Json } {
  const properties: Record<string, Json> = {};
  for (const [name, field] of shape) {
    const schema = field.type.jsonSchema(field.params);
    properties[name] = field.optional ? { anyOf: [schema, { type: "null" }] } : schema;
  }
  const required = [...shape].filter(([, field]) => !field.optional).map(([name]) => name);
  return { type: "object", properties, required, additionalProperties: false };
}

// Each value in the one form in which it is compared: a decimal with its full scale, an instant in UTC.
function readShape(value: unknown, shape: ReadonlyMap<string, DocumentField>): { readonly [name: string]: Json } | Misfit {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return misfit("type", "must be an object");
  const given = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!shape.has(name))
      return misfit("unknown_field", `has no field ${JSON.stringify(name)}; it has ${[...shape.keys()].join(", ")}`);
  }
  const read: Record<string, Json> = { ...(given as Record<string, Json>) };
  for (const [name, field] of shape) {
    const inner = Object.hasOwn(given, name) ? given[name] : undefined;
    if (inner === undefined || inner === null) {
      if (!field.optional) return misfit("required", `needs ${JSON.stringify(name)}`);
      continue;
    }
    const parsed = field.type.parse(inner, field.params);
    if (isMisfit(parsed)) return misfit(parsed.code, `${name} ${parsed.misfit}`);
    read[name] = wireOf(field, parsed);
  }
  return read;
}

/** What such a value is put in order by: the JSON of a text or number. */
export function parseLooseOrder(value: unknown): string | Misfit {
  if (typeof value === "number" || typeof value === "string") return checkJson(value, 0) ?? JSON.stringify(value);
  return misfit("type", "must be a text or a number");
}

function checkJson(value: unknown, depthLeft: number): Misfit | null {
  if (depthLeft < 0) return misfit("depth", `must not nest deeper than ${jsonDepthMax}`);
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "number")
    return Number.isFinite(value) ? null : misfit("range", "must hold only numbers that a double can hold");
  if (typeof value === "string")
    return value.isWellFormed() && !value.includes("\0") ? null : misfit("encoding", "must hold only valid Unicode");
  if (typeof value !== "object") return misfit("type", "must be JSON");
  for (const [name, inner] of Object.entries(value)) {
    if (!name.isWellFormed() || name.includes("\0")) return misfit("encoding", "must hold only valid Unicode");
    const wrong = checkJson(inner, depthLeft - 1);
    if (wrong) return wrong;
  }
  return null;
}
