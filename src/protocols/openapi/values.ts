/** JSON Schemas of single values: as answered, as taken, as compared with; and an example that fits. */
import { isMisfit, wireOf } from "../../schema/fields/field-type.ts";
import type { DocumentField, Field, FieldParams } from "../../schema/schema.ts";
import type { Json } from "../../schema/value.ts";

/** A JSON Schema (2020-12), or another object of the document. */
export type Node = { readonly [key: string]: Json };

/** What a field, an input of an action and an item of a list have in common. */
export type Typed = Pick<DocumentField, "type" | "params">;

export const nothing: Node = { type: "null" };

/** The value as it is answered. */
export function wireSchema({ type, params }: Typed): Node {
  const schema = type.jsonSchema(params);
  if (params.pattern === undefined || isPortable(params.pattern)) return schema;
  // Other readers of patterns know no flags.
  const { pattern: _, ...rest } = schema;
  return rest;
}

function isPortable({ source, flags }: RegExp): boolean {
  if (/[^ugd]/.test(flags)) return false;
  try {
    return new RegExp(source, "u").source === source;
  } catch {
    return false;
  }
}

/** The value as it is taken, where more forms are taken than are answered. */
export function inputSchema(typed: Typed): Node {
  const { type, params } = typed;
  const { item, shape } = params;
  switch (type.name) {
    case "decimal":
      return { ...wireSchema(typed), type: ["string", "number"], pattern: "^-?[0-9]{1,30}(\\.[0-9]{1,30})?$" };
    case "bigint":
      return { ...wireSchema(typed), type: ["string", "integer"] };
    case "time":
      return { ...wireSchema(typed), pattern: "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$" };
    case "list":
      return { ...wireSchema(typed), ...(item ? { items: inputSchema(item) } : {}) };
    case "json":
      return shape ? objectSchema(shape, inputSchema) : {};
    default:
      return wireSchema(typed);
  }
}

/** An object of declared fields; what is optional may be left out, or null. */
export function objectSchema(fields: ReadonlyMap<string, DocumentField>, of: (typed: Typed) => Node): Node {
  const properties: Record<string, Json> = {};
  for (const [name, field] of fields) properties[name] = field.optional ? orNull(of(field)) : of(field);
  const required = [...fields].filter(([, { optional }]) => !optional).map(([name]) => name);
  return { type: "object", properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false };
}

/** The same, or null. */
export function orNull(schema: Node): Node {
  const { type } = schema;
  if (Object.keys(schema).length === 0) return schema;
  if (type === undefined || schema["enum"] !== undefined || schema["$ref"] !== undefined) return { anyOf: [schema, nothing] };
  return { ...schema, type: [...(Array.isArray(type) ? (type as Json[]) : [type]), "null"] };
}

/** Sentences on what the schema cannot say. */
export function describeBounds({ type, params: { min, max } }: Typed): readonly string[] {
  const outside = type.name === "decimal" || type.name === "bigint" || type.name === "bytes";
  if (!outside || (min === undefined && max === undefined)) return [];
  const unit = type.name === "bytes" ? " bytes" : "";
  return [
    [...(min === undefined ? [] : [`At least ${min}${unit}`]), ...(max === undefined ? [] : [`at most ${max}${unit}`])].join(
      ", ",
    ),
  ].map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}

const exampleKey = "0198b0aa-0000-7000-8000-000000000001";
const exampleNumber = 3;

/** An example that the field takes, in the form it is answered in; undefined where none is known. */
export function exampleOf(name: string, typed: Typed): Json | undefined {
  const { type, params } = typed;
  for (const candidate of candidatesOf(name, typed)) {
    const parsed = type.parse(candidate, params);
    if (!isMisfit(parsed)) return wireOf({ type, params }, parsed);
  }
  return undefined;
}

const fixed: Readonly<Record<string, readonly Json[]>> = {
  uuid: [exampleKey],
  boolean: [true],
  datetime: ["2026-01-31T09:30:00.000Z"],
  date: ["2026-01-31"],
  time: ["09:30:00"],
  email: ["ada@example.com"],
  url: ["https://example.com/"],
  slug: ["a-slug"],
  bytes: ["aGVsbG8=", "aGk="],
};

function candidatesOf(name: string, { type, params }: Typed): readonly Json[] {
  const known = fixed[type.name];
  if (known) return known;
  if (params.choices) return params.choices;
  if (type.numeric) return numbersOf(params);
  if (type.name === "list") {
    const item = params.item && exampleOf(name, params.item);
    return item === undefined ? [[]] : [[item], [item, item]];
  }
  if (type.name === "json") return params.shape ? [documentOf(params.shape)] : [{ note: "any JSON" }];
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return [
    `Some ${words}`,
    words,
    "Text",
    "AB",
    "A",
    "a",
    "abc",
    "ABC-123",
    "A1",
    "123",
    "12345",
    "1",
    "a".repeat(Number(params.min ?? 1)),
  ];
}

function numbersOf({ min, max }: FieldParams): readonly Json[] {
  return [
    exampleNumber,
    "12.50",
    "12",
    1,
    ...(min === undefined ? [] : [String(min), Number(min)]),
    ...(max === undefined ? [] : [String(max), Number(max)]),
    0,
  ];
}

function documentOf(shape: ReadonlyMap<string, DocumentField>): Json {
  const entries = [...shape].map(([name, field]) => [name, exampleOf(name, field)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, Json] => entry[1] !== undefined));
}

/** What is to be known of a field besides its type, in sentences. */
export function describeField(field: Field, more: readonly string[] = []): string {
  const said = [
    ...(field.relation ? [`The key of a row of \`${field.relation.target}\`.`] : []),
    ...(field.computed ? ["Computed by the database."] : []),
    ...(field.unique ? ["No two rows share it."] : []),
    ...(field.writeOnce ? ["Once set, it stays as it is."] : []),
    ...(field.immutable && field.role !== "id" ? ["Given at creation, and never changed."] : []),
    ...describeBounds(field),
    ...more,
  ];
  return said.join(" ");
}
