/** Component schemas of a model's rows: as answered, as picked from, as created, replaced and updated. */
import { wireOf } from "../../schema/fields/field-type.ts";
import type { Field, Model, Relation, Schema } from "../../schema/schema.ts";
import type { Json } from "../../schema/value.ts";
import { describeField, exampleOf, inputSchema, type Node, nothing, orNull, wireSchema } from "./values.ts";
import {
  type Followed,
  followedRelations,
  isOpen,
  nestedRelations,
  ownedRelations,
  readableFields,
  visibilityOf,
  writableFields,
} from "./visible.ts";

/** Components by name; makers add what they refer to. */
export type Components = Map<string, Node>;

export function ref(name: string): Node {
  return { $ref: `#/components/schemas/${name}` };
}

/** Adds every schema of a model's rows that some operation uses. */
export function addRows(model: Model, schema: Schema, components: Components): void {
  if (isOpen(model, "read")) {
    components.set(`${model.name}.Row`, rowSchema(model));
    components.set(`${model.name}.Selection`, selectionSchema(model, schema));
    components.set(`${model.name}.Page`, pageSchema(model));
  }
  if (isOpen(model, "create")) addCreate(model, { schema, components, without: null });
  if (isOpen(model, "create") && isOpen(model, "update")) components.set(`${model.name}.Put`, putSchema(model));
  if (isOpen(model, "update")) addUpdate(model, { schema, components, without: null });
}

/** What a row is answered as: whole, or what `fields` and `expand` picked of it. */
export function answeredRow(model: Model): Node {
  return { anyOf: [ref(`${model.name}.Row`), ref(`${model.name}.Selection`)] };
}

const varied = "Not every caller may read it:";

function answeredField(model: Model, field: Field): Node {
  const { absent, masked } = visibilityOf(model, field);
  const schema = field.optional || masked ? orNull(wireSchema(field)) : wireSchema(field);
  const notes = absent ? [masked ? `${varied} absent for some, null in some rows.` : `${varied} absent for others.`] : [];
  const description = describeField(field, notes);
  return description === "" ? schema : { ...schema, description };
}

function rowSchema(model: Model): Node {
  const fields = readableFields(model);
  const required = fields.filter((field) => !visibilityOf(model, field).absent).map(({ name }) => name);
  return {
    type: "object",
    description: `A whole row of \`${model.name}\`: every field that the caller may read. Relations show as keys.`,
    properties: Object.fromEntries(fields.map((field) => [field.name, answeredField(model, field)])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...withExample(fields, () => true),
  };
}

function selectionSchema(model: Model, schema: Schema): Node {
  const properties: Record<string, Json> = {};
  for (const field of readableFields(model)) properties[field.name] = answeredField(model, field);
  for (const { relation, target } of followedRelations(model, schema)) {
    const rows = ref(`${target.name}.Selection`);
    const key = properties[relation.name] as Node | undefined;
    properties[relation.name] = key
      ? { anyOf: [key, rows, nothing] }
      : relation.kind === "many"
        ? { type: "array", items: rows }
        : { anyOf: [rows, nothing] };
  }
  return {
    type: "object",
    description: `The parts of a row of \`${model.name}\` that \`fields\` and \`expand\` picked. An expanded relation shows as its row, or list of rows.`,
    properties,
    additionalProperties: false,
  };
}

function pageSchema(model: Model): Node {
  return {
    type: "object",
    description: `A page of \`${model.name}\`.`,
    properties: { data: { type: "array", items: answeredRow(model), maxItems: model.limits.pageSizeMax }, page: ref("Page") },
    required: ["data", "page"],
    additionalProperties: false,
  };
}

function withExample(fields: readonly Field[], isShown: (field: Field) => boolean): { readonly examples?: readonly Json[] } {
  const example: Record<string, Json> = {};
  for (const field of fields.filter(isShown)) {
    const value = field.role === "deletedAt" ? null : field.role === "version" ? 1 : exampleOf(field.name, field);
    if (value !== undefined) example[field.name] = value;
    else if (!field.optional) return {};
    else example[field.name] = null;
  }
  return { examples: [example] };
}

interface Creating {
  readonly schema: Schema;
  readonly components: Components;
  /** The relation to the parent, where the row is nested in one. */
  readonly without: Relation | null;
}

function isGiven(field: Field): boolean {
  return !field.optional && field.default === null && field.params.serial !== true;
}

/** Adds the input of a create, and of the rows nested in it; gives its name. */
function addCreate(model: Model, { schema, components, without }: Creating): string {
  const skipped = without?.inverseOf ?? null;
  const name = skipped === null ? `${model.name}.Create` : `${model.name}.Create.${skipped}`;
  if (components.has(name)) return name;
  const fields = writableFields(model, "create").filter((field) => field.name !== skipped);
  const properties: Record<string, Json> = Object.fromEntries(fields.map((field) => [field.name, takenField(field)]));
  const required = fields.filter(isGiven).map((field) => field.name);
  const node = (nested: Record<string, Json>): Node => ({
    type: "object",
    description:
      skipped === null
        ? `What creates a row of \`${model.name}\`.`
        : `A row of \`${model.name}\` that is created along: \`${skipped}\` is the row it is nested in.`,
    properties: { ...properties, ...nested },
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...withExample(fields, (field) => isGiven(field) || (field.relation === null && field.role === null)),
  });
  // Its place is taken first: models may own each other in a circle.
  components.set(name, node({}));
  const nested: Record<string, Json> = {};
  for (const { relation, target } of nestedRelations(model, schema)) {
    const row = ref(addCreate(target, { schema, components, without: relation }));
    nested[relation.name] = relation.kind === "many" ? { type: "array", items: row } : row;
  }
  if (Object.keys(nested).length > 0) components.set(name, node(nested));
  return name;
}

function takenField(field: Field): Node {
  const schema = field.optional ? orNull(inputSchema(field)) : inputSchema(field);
  const notes = field.default === null ? [] : [defaultText(field)];
  const description = describeField(field, notes);
  return description === "" ? schema : { ...schema, description };
}

function defaultText(field: Field): string {
  const from = field.default?.from;
  if (from === "value") return `Where it is left out: \`${JSON.stringify(wireValue(field))}\`.`;
  return from === "now"
    ? "Where it is left out: the instant of the request."
    : from === "me"
      ? "Where it is left out: the caller's id."
      : "Made where it is left out.";
}

function wireValue(field: Field): Json {
  const value = field.default?.from === "value" ? field.default.value : null;
  return wireOf(field, value);
}

function putSchema(model: Model): Node {
  const fields = writableFields(model, "create");
  const inKey = new Set(model.key.map(({ name, partOf }) => partOf ?? name));
  const required = fields.filter((field) => isGiven(field) && !inKey.has(field.name)).map(({ name }) => name);
  return {
    type: "object",
    description: `A whole row of \`${model.name}\`: what is left out goes back to its default. The key may be repeated, if it is that of the path.`,
    properties: Object.fromEntries(fields.map((field) => [field.name, takenField(field)])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...withExample(fields, (field) => isGiven(field) && !inKey.has(field.name)),
  };
}

/** Adds the input of an update, and of the owned rows that it changes along; gives its name. */
function addUpdate(model: Model, { schema, components, without }: Creating): string {
  const skipped = without?.inverseOf ?? null;
  const name = skipped === null ? `${model.name}.Update` : `${model.name}.Update.${skipped}`;
  if (components.has(name)) return name;
  const fields = writableFields(model, "update").filter((field) => field.name !== skipped);
  const some = fields.filter((field) => field.relation === null && field.role === null).slice(0, 2);
  const properties: Record<string, Json> = Object.fromEntries(fields.map((field) => [field.name, changedField(field)]));
  const node = (nested: Record<string, Json>): Node => ({
    type: "object",
    description:
      skipped === null
        ? `What changes a row of \`${model.name}\`; fields that are left out stay as they are.`
        : `What changes a row of \`${model.name}\` along with the one that owns it; \`id\` names it.`,
    properties: { ...properties, ...nested, ...(skipped === null ? {} : { id: keySchema(model) }) },
    ...(skipped === null ? {} : { required: ["id"] }),
    additionalProperties: false,
    ...(skipped === null ? withExample(some, () => true) : {}),
  });
  components.set(name, node({}));
  const nested = Object.fromEntries(
    ownedRelations(model, schema).map((owned) => [owned.relation.name, ownedSchema(owned, { schema, components, without })]),
  );
  if (Object.keys(nested).length > 0) components.set(name, node(nested));
  return name;
}

/** What becomes of owned rows: each word where some caller may do it. */
function ownedSchema({ relation, target }: Followed, creating: Creating): Node {
  const inner: Creating = { ...creating, without: relation };
  const list = (items: Node): Node => ({ type: "array", items });
  return {
    type: "object",
    description: `What becomes of \`${relation.name}\`: rows to create, to change and to delete. Deletes come first, then changes.`,
    properties: {
      ...(isOpen(target, "create") ? { create: list(ref(addCreate(target, inner))) } : {}),
      ...(isOpen(target, "update") && !target.requireVersion ? { update: list(ref(addUpdate(target, inner))) } : {}),
      ...(isOpen(target, "delete") && !target.requireVersion ? { delete: list(keySchema(target)) } : {}),
    },
    additionalProperties: false,
  };
}

function keySchema({ name, key }: Model): Node {
  const [only] = key;
  return only && key.length === 1 ? wireSchema(only) : { type: "string", description: `The key of a row of \`${name}\`.` };
}

// The amount is added in the database, so that concurrent requests all count.
function changedField(field: Field): Node {
  const schema = takenField({ ...field, default: null });
  if (!field.type.numeric) return schema;
  const { description, ...value } = schema;
  const { min: _, max: __, ...params } = field.params;
  const amount = inputSchema({ type: field.type, params });
  const adding: Node = {
    type: "object",
    description: "An amount to add; negative to take away.",
    properties: { $add: amount },
    required: ["$add"],
    additionalProperties: false,
  };
  return { anyOf: [value, adding], ...(description === undefined ? {} : { description }) };
}
