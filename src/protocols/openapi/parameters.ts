/** Parameters of the query string, and headers of requests and answers. */
import type { Field, Model, Schema } from "../../schema/schema.ts";
import type { Json } from "../../schema/value.ts";
import { filterExamples, hasTrash, namesOf } from "./filters.ts";
import { ref } from "./rows.ts";
import { type Node, wireSchema } from "./values.ts";
import { followedRelations, readableFields } from "./visible.ts";

/** A reference to one of the parameters or headers below, or of a model. */
export function parameter(name: string): Node {
  return { $ref: `#/components/parameters/${name}` };
}

export function header(name: string): Node {
  return { $ref: `#/components/headers/${name}` };
}

const cursor = (side: string): Node => ({
  name: side,
  in: "query",
  description: `Rows ${side} a cursor of an earlier answer's \`page\`. It is good for the same filter, sort and caller.`,
  schema: { type: "string" },
});

const sent = (name: string, description: string, schema: Node): Node => ({ name, in: "header", description, schema });

/** Parameters that every model has alike. */
export const sharedParameters: Readonly<Record<string, Node>> = {
  after: cursor("after"),
  before: cursor("before"),
  page: {
    name: "page[number]",
    in: "query",
    description: "A page by its number, instead of a cursor, for those who need to jump.",
    schema: { type: "integer", minimum: 1 },
  },
  count: {
    name: "count",
    in: "query",
    description: "Whether `page` says how many rows there are in all; `estimated` counts up to a bound.",
    schema: { type: "string", enum: ["none", "estimated", "exact"], default: "none" },
  },
  trash: {
    name: "trash",
    in: "query",
    description: "Rows in the trash, for who may delete.",
    schema: { type: "string", enum: ["without", "with", "only"], default: "without" },
  },
  purge: {
    name: "trash",
    in: "query",
    description: "`only` deletes for good a row that is in the trash.",
    schema: { type: "string", enum: ["without", "with", "only"], default: "without" },
  },
  maxAffected: {
    name: "maxAffected",
    in: "query",
    required: true,
    description: "How many rows may change at most. Where more match, none changes.",
    schema: { type: "integer", minimum: 1 },
    example: 10,
  },
  onConflictDo: {
    name: "onConflictDo",
    in: "query",
    // No default in the schema: forms send defaults, and without onConflict this parameter is refused.
    description: "With `onConflict`: `update` the row that is there, as where this is left out, or do `nothing` to it.",
    schema: { type: "string", enum: ["update", "nothing"] },
  },
  "Idempotency-Key": sent(
    "Idempotency-Key",
    "A repetition under the same key gets the stored answer byte for byte, for 24 hours.",
    { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
  ),
  "Holdfast-Position": sent(
    "Holdfast-Position",
    "What the caller's last write was answered with: a read replica then answers only if it has that write.",
    { type: "string" },
  ),
  Prefer: sent(
    "Prefer",
    "`return=minimal` for no body, `return=representation` for the row, `handling=strict` to have unknown preferences refused (RFC 7240).",
    { type: "string" },
  ),
  "If-Match": sent("If-Match", "Only where the row still has this version: the `ETag` of an earlier answer, or `*`.", {
    type: "string",
  }),
  "If-None-Match": sent("If-None-Match", "Answers 304 without a body where the row still has this version.", { type: "string" }),
  "If-Absent": sent("If-None-Match", "`*`: only where there is no such row yet.", { type: "string", enum: ["*"] }),
};

const answered = (description: string, schema: Node): Node => ({ description, schema });

/** Headers of answers. */
export const sharedHeaders: Readonly<Record<string, Node>> = {
  ETag: answered("The row's version, for If-Match and If-None-Match. Left out where `fields` or `expand` picked from the row.", {
    type: "string",
    pattern: '^"[0-9]+"$',
  }),
  Location: answered("The path of the new row.", { type: "string" }),
  Link: answered("The next and previous page (RFC 8288), where there is one.", { type: "string" }),
  "Idempotency-Replayed": answered("`true` where this is the stored answer of an earlier request under the same key.", {
    type: "string",
    enum: ["true"],
  }),
  "Holdfast-Position": answered("Where there are read replicas: send it along with later reads, and they see this write.", {
    type: "string",
  }),
  "Preference-Applied": answered("The preferences that were honoured.", { type: "string" }),
  "X-Request-Id": answered("The request's id: the caller's own where it sent one, and in the log.", { type: "string" }),
  "Server-Timing": answered("Milliseconds of each stage.", { type: "string" }),
  "Retry-After": answered("Seconds to wait.", { type: "string" }),
  "WWW-Authenticate": answered("How to sign in (RFC 6750).", { type: "string" }),
};

/** Adds the parameters of one model that name its fields: filter, sort, fields, expand and those of aggregates. */
export function addParameters(model: Model, schema: Schema, parameters: Map<string, Node>): void {
  const add = (name: string, node: Node) => parameters.set(`${model.name}.${name}`, { ...node, in: "query" });
  const fields = readableFields(model);
  const followed = followedRelations(model, schema);
  const many = followed.filter(({ relation }) => relation.kind === "many");
  add("filter", filterParameter("filter", model));
  add("sort", sortParameter("sort", fields));
  add("limit", {
    name: "limit",
    schema: { type: "integer", minimum: 1, maximum: model.limits.pageSizeMax, default: model.limits.pageSize },
    description: "Rows on a page.",
  });
  add("fields", fieldsParameter("fields", fields, followed[0]?.relation.name));
  add("onConflict", {
    name: "onConflict",
    schema: { type: "string" },
    description: `Makes it an upsert: a row with the same values in these fields is not created again. They are unique together: ${uniquesOf(model)}. Takes the right to create and to update.`,
  });
  addAggregates(model, add);
  if (followed.length === 0) return;
  const names = followed.map(({ relation }) => relation);
  add("expand", {
    name: "expand",
    schema: listOf(names.slice(0, 2)),
    description: `Relations to answer with, in place of their keys: ${namesOf(names)}; a dot goes on from there. A relation's own parameters are \`expand[${names[0]?.name}][fields]\` and, where it has many rows, \`[limit]\`, \`[sort]\` and \`[filter]\`.`,
  });
  for (const { relation, target } of followed)
    add(`expand.${relation.name}.fields`, fieldsParameter(`expand[${relation.name}][fields]`, readableFields(target), undefined));
  for (const { relation, target } of many) {
    const of = (word: string) => `expand[${relation.name}][${word}]`;
    add(`expand.${relation.name}.limit`, {
      name: of("limit"),
      schema: { type: "integer", minimum: 1, maximum: target.limits.pageSizeMax },
      description: `Rows of \`${relation.name}\` at most.`,
    });
    add(`expand.${relation.name}.sort`, sortParameter(of("sort"), readableFields(target)));
    add(`expand.${relation.name}.filter`, filterParameter(of("filter"), target));
  }
}

function filterParameter(name: string, model: Model): Node {
  const examples = filterExamples(model).map((example) => ({ ...example, text: example.text.replace("filter", name) }));
  const shown = examples.slice(0, 6).map(({ text }) => `\`${text}\``);
  const listed = examples.map((example) => [example.name, { summary: example.text, value: example.value }] as const);
  return {
    name,
    description: `Conditions in brackets to any depth: \`${name}[field]=value\`, \`${name}[field][operator]=value\`, \`${name}[relation.field]=value\`, \`${name}[or][0][field]=value\`. Lists have commas. ${shown.length > 0 ? `For example ${shown.join(", ")}. ` : ""}OpenAPI's deepObject is defined for the first bracket only: a client that stops there writes the further brackets itself.`,
    style: "deepObject",
    explode: true,
    schema: ref(`${model.name}.Filter`),
    // A page that fills in the first example should begin with all rows.
    examples: { none: { summary: "All rows", value: {} }, ...Object.fromEntries(listed) },
  };
}

function sortParameter(name: string, fields: readonly Field[]): Node {
  const sortable = fields.filter(({ type }) => type.ordered);
  const [first, second] = sortable.filter(({ role, relation }) => role !== "id" && !relation);
  const example = [...(first ? [`-${first.name}`] : []), ...(second ? [second.name] : [])].join(",");
  return {
    name,
    description: `Fields in order, \`-\` descends${example === "" ? "" : `: \`${name}=${example}\``}. The key is appended, so that the order is total. Fields: ${namesOf(sortable)}, and those behind a to-one relation.`,
    schema: { type: "string", ...(example === "" ? {} : { examples: [example] }) },
  };
}

function fieldsParameter(name: string, fields: readonly Field[], relation: string | undefined): Node {
  const some = fields.slice(0, 2);
  return {
    name,
    description: `Only these parts of a row, with commas: ${namesOf(fields)}${relation === undefined ? "" : `; a dot goes into a relation (\`${relation}.*\`)`}.`,
    schema: listOf(some),
  };
}

function listOf(names: readonly { readonly name: string }[]): Node {
  return { type: "string", examples: [names.map(({ name }) => name).join(",")] };
}

function uniquesOf(model: Model): string {
  const readable = readableFields(model);
  const uniques = [
    model.key.map(({ column }) => column),
    ...model.indexes.filter(({ unique }) => unique).map(({ columns }) => columns.map(({ column }) => column)),
  ];
  const named = uniques.map((columns) => columns.map((column) => readable.find((field) => holds(field, column))));
  const whole = named.filter((fields): fields is Field[] => fields.every((field) => field !== undefined));
  const texts = whole.map((fields) => `\`${[...new Set(fields.map(({ name }) => name))].join(",")}\``);
  return [...new Set(texts)].join(" or ");
}

function holds({ column, parts }: Field, wanted: string): boolean {
  return parts ? parts.some((part) => part.column === wanted) : column === wanted;
}

function addAggregates(model: Model, add: (name: string, node: Node) => void): void {
  const fields = readableFields(model).filter(({ type }) => type.ordered);
  const stamp = fields.find(({ type }) => type.name === "datetime");
  const list = (name: string, of: readonly Field[], description: string) => {
    if (of.length > 0) add(name, { name, description, schema: { type: "string", examples: [of[0]?.name as Json] } });
  };
  const bucket = stamp
    ? ` Dates and datetimes also by \`year\`, \`quarter\`, \`month\`, \`week\`, \`day\` or \`hour\`: \`month(${stamp.name})\`.`
    : "";
  list("group", fields, `Fields that rows are grouped by, with commas.${bucket}`);
  const numbers = fields.filter(({ type }) => type.numeric);
  const ordered = fields.filter(({ type }) => type.name !== "boolean");
  list("sum", numbers, `Sums of fields: ${namesOf(numbers)}.`);
  list("avg", numbers, `Averages of fields: ${namesOf(numbers)}.`);
  list("min", ordered, "Least values of fields.");
  list("max", ordered, "Greatest values of fields.");
  add("countOf", {
    name: "count",
    description: "Fields whose values to count, or `*` for rows; `*` where nothing else is asked for.",
    schema: { type: "string", examples: ["*"] },
  });
  const having = numbers[0] ? `sum.${numbers[0].name}` : "count";
  add("having", {
    name: "having",
    description: `Conditions on results, by their names: \`having[${having}][gt]=1\`.`,
    style: "deepObject",
    explode: true,
    schema: { type: "object" },
  });
  add("order", {
    name: "sort",
    description: "By groups and results, `-` descends: `-count`. The groups are appended.",
    schema: { type: "string" },
  });
  add("groupLimit", { name: "limit", description: "Groups at most.", schema: { type: "integer", minimum: 1 } });
}

/** What a read of one row, or of a page, may be asked with; writes take the first two of these. */
export function selectingParameters(model: Model, parameters: ReadonlyMap<string, Node>, isRead: boolean): readonly Node[] {
  const prefix = `${model.name}.expand`;
  const names = [...parameters.keys()].filter(
    (name) => name === `${model.name}.fields` || name === prefix || (isRead && name.startsWith(`${prefix}.`)),
  );
  return names.map(parameter);
}

/** Parameters of lists: which rows, in which order, which page. */
export function listParameters(model: Model, parameters: ReadonlyMap<string, Node>): readonly Node[] {
  const own = ["filter", "sort", "limit"].map((name) => parameter(`${model.name}.${name}`));
  return [
    ...own,
    ...["after", "before", "page", "count"].map(parameter),
    ...trashParameter(model),
    ...selectingParameters(model, parameters, true),
  ];
}

export function trashParameter(model: Model): readonly Node[] {
  return hasTrash(model) ? [parameter("trash")] : [];
}

export function aggregateParameters(model: Model, parameters: ReadonlyMap<string, Node>): readonly Node[] {
  const names = ["filter", "group", "countOf", "sum", "avg", "min", "max", "having", "order", "groupLimit"].map(
    (name) => `${model.name}.${name}`,
  );
  return [...names.filter((name) => parameters.has(name)).map(parameter), ...trashParameter(model)];
}

/** The name of a row's key in the templates of paths. */
export function keyName({ key }: Model): string {
  return key.length === 1 && key[0] ? key[0].name : "key";
}

/** The key of a row in a path. Parts of a composite one stand with commas between them. */
export function keyParameter(model: Model): Node {
  const [only] = model.key;
  if (model.key.length === 1 && only) {
    const { description: _, ...schema } = wireSchema(only);
    return { name: keyName(model), in: "path", required: true, schema };
  }
  return {
    name: keyName(model),
    in: "path",
    required: true,
    description: `${namesOf(model.key)}, with commas between them.`,
    schema: {
      type: "array",
      prefixItems: model.key.map((field) => wireSchema(field)),
      minItems: model.key.length,
      maxItems: model.key.length,
    },
  };
}
