/** Component schemas of what a caller asks with: filters over a model, comparisons, selections and whole queries. */
import type { FieldType } from "../../schema/fields/field-type.ts";
import type { Field, Model, Schema } from "../../schema/schema.ts";
import type { Json } from "../../schema/value.ts";
import { type Components, ref } from "./rows.ts";
import { exampleOf, inputSchema, type Node, nothing, orNull } from "./values.ts";
import { followedRelations, isOpen, readableFields } from "./visible.ts";

/** Adds the filter over a model, the comparisons in it and the query of POST /query. */
export function addFilter(model: Model, schema: Schema, components: Components): void {
  const properties: Record<string, Json> = {};
  const self = ref(`${model.name}.Filter`);
  for (const field of readableFields(model)) properties[field.name] = conditionOn(field, components);
  for (const { relation, target } of followedRelations(model, schema)) {
    const inner = ref(`${target.name}.Filter`);
    const key = properties[relation.name] as { readonly anyOf: readonly Json[] } | undefined;
    properties[relation.name] = relation.kind === "many" ? quantified(inner) : key ? { anyOf: [...key.anyOf, inner] } : inner;
  }
  const searched = model.search.filter((field) => readableFields(model).includes(field));
  const dotted = Object.keys(properties).some((name) => isEntered(name, model, schema));
  components.set(`${model.name}.Filter`, {
    type: "object",
    description: `Conditions on a row of \`${model.name}\`, all of which must hold.`,
    properties: {
      and: { type: "array", items: self },
      or: { type: "array", items: self, description: "One of them must hold." },
      not: self,
      ...(searched.length > 0 ? { search: { type: "string", description: `Words to find in ${namesOf(searched)}.` } } : {}),
      ...properties,
    },
    ...(dotted
      ? {
          patternProperties: {
            "^[a-z][a-zA-Z0-9]*\\.": { description: "A field behind a relation, or inside a document: `director.country`." },
          },
        }
      : {}),
    additionalProperties: false,
  });
  components.set(`${model.name}.Query`, querySchema(model));
}

function isEntered(name: string, model: Model, schema: Schema): boolean {
  return (
    model.fields.get(name)?.type.name === "json" ||
    followedRelations(model, schema).some(({ relation }) => relation.name === name)
  );
}

function quantified(inner: Node): Node {
  return {
    type: "object",
    description: "Conditions on the rows that it leads to: some, every or none of them must meet them.",
    properties: { some: inner, every: inner, none: inner },
    additionalProperties: false,
  };
}

function conditionOn(field: Field, components: Components): Node {
  const { type } = field;
  const comparison = `Compare.${type.name === "choice" ? `${field.model}.${field.name}` : type.name}`;
  if (type.name === "json")
    return { anyOf: [nothing, { type: "object", description: "Conditions on values inside the document, by path." }] };
  const value = comparedValue(field);
  if (!components.has(comparison)) components.set(comparison, comparisonSchema(type, value));
  // A list is asked for an element; the list itself is compared with nothing.
  return { anyOf: type.name === "list" ? [nothing, ref(comparison)] : [orNull(value), ref(comparison)] };
}

// Bounds are for writing: a filter may ask for what no row can have.
function comparedValue({ type, params }: Field): Node {
  if (type.name === "list") return {};
  if (type.name === "choice") return inputSchema({ type, params });
  const {
    examples: _,
    maxLength: __,
    ...value
  } = inputSchema({ type, params: { precision: params.precision, scale: params.scale } });
  return value;
}

function comparisonSchema(type: FieldType, value: Node): Node {
  const properties: Record<string, Json> = {};
  for (const operator of type.operators) {
    if (operator === "in" || operator === "nin") properties[operator] = { type: "array", items: value };
    else if (operator === "between") properties[operator] = { type: "array", items: value, minItems: 2, maxItems: 2 };
    else if (operator === "isNull") properties[operator] = { type: "boolean" };
    else if (operator === "eq" || operator === "ne") properties[operator] = orNull(value);
    else if (["contains", "startsWith", "endsWith", "like", "search"].includes(operator))
      properties[operator] = type.name === "list" ? {} : { type: "string" };
    else properties[operator] = value;
  }
  return {
    type: "object",
    description: `Comparisons of a ${type.name}, all of which must hold.`,
    properties: { ...properties, not: { type: "object", description: "Comparisons that must not all hold." } },
    additionalProperties: false,
  };
}

function querySchema(model: Model): Node {
  const example = filterExamples(model)[0];
  return {
    type: "object",
    description: "A whole query as JSON, for what is too long for a URL.",
    properties: {
      where: ref(`${model.name}.Filter`),
      orderBy: {
        anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
        description: "As `sort`: `-` descends.",
      },
      select: ref("Select"),
      limit: { type: "integer", minimum: 1, maximum: model.limits.pageSizeMax, default: model.limits.pageSize },
      after: { type: "string" },
      before: { type: "string" },
      page: { type: "integer", minimum: 1, description: "A page by its number, instead of a cursor." },
      count: { type: "string", enum: ["none", "estimated", "exact"], default: "none" },
      ...(hasTrash(model) ? { trash: { type: "string", enum: ["without", "with", "only"], default: "without" } } : {}),
    },
    additionalProperties: false,
    examples: [{ ...(example ? { where: example.value } : {}), limit: 5 }],
  };
}

/** The trash is for who may delete. */
export function hasTrash(model: Model): boolean {
  return model.softDelete && isOpen(model, "delete");
}

/** The selection of a query's body, the same for every model. */
export const selectSchema: Node = {
  type: "object",
  description:
    'What to answer with: `true` for a field, `"*": true` for all own fields, a selection for a relation. In that of a to-many relation `$where`, `$orderBy` and `$limit` say which rows.',
  properties: {
    "*": { type: "boolean" },
    $where: { type: "object" },
    $orderBy: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
    $limit: { type: "integer", minimum: 1 },
  },
  additionalProperties: { anyOf: [{ type: "boolean" }, ref("Select")] },
};

export interface FilterExample {
  readonly name: string;
  /** As it stands in the query string. */
  readonly text: string;
  readonly value: Node;
}

/** One example for each of the model's fields that can be compared, in the operator that it is most asked with. */
export function filterExamples(model: Model): readonly FilterExample[] {
  return readableFields(model).flatMap((field): FilterExample[] => {
    const { name, type } = field;
    const value = exampleOf(name, field);
    if (
      value === undefined ||
      value === null ||
      type.name === "json" ||
      type.name === "bytes" ||
      field.relation ||
      field.role === "id"
    )
      return [];
    const is = (operator: string, operand: Json): FilterExample[] => [
      {
        name,
        text: `filter[${name}][${operator}]=${spell(operand)}`,
        value: { [name]: { [operator]: operand } },
      },
    ];
    if (type.name === "list") return Array.isArray(value) && value.length > 0 ? is("contains", value[0] as Json) : [];
    if (type.name === "choice") return is("in", (field.params.choices ?? []).slice(0, 2));
    if (type.operators.includes("contains")) return is("contains", spell(value).slice(0, 2));
    if (type.operators.includes("gte") && type.name !== "uuid") return is("gte", value);
    return [{ name, text: `filter[${name}]=${spell(value)}`, value: { [name]: value } }];
  });
}

// A value as the text of a query parameter.
function spell(value: Json): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.map(spell).join(",") : JSON.stringify(value);
}

export function namesOf(fields: readonly { readonly name: string }[]): string {
  return fields.map(({ name }) => `\`${name}\``).join(", ");
}
