/** Paths of one model: list, query, aggregate, create, bulk writes, and those of single rows. */
import type { Field, Model, Schema } from "../../schema/schema.ts";
import type { Json } from "../../schema/value.ts";
import { hasTrash, namesOf } from "./filters.ts";
import {
  aggregateParameters,
  header,
  keyName,
  keyParameter,
  listParameters,
  parameter,
  selectingParameters,
  trashParameter,
} from "./parameters.ts";
import { codesOf, type Refusals } from "./problems.ts";
import { answeredRow, ref } from "./rows.ts";
import { type Node, nothing, type Typed, wireSchema } from "./values.ts";
import { isOpen, readableFields } from "./visible.ts";

/** What the paths are put together from. */
export interface Making {
  readonly schema: Schema;
  readonly parameters: ReadonlyMap<string, Node>;
  readonly refusals: Refusals;
  /** Rows of one bulk create and operations of one batch. */
  readonly batchMax: number;
  /** The path of REST, without a slash behind. */
  readonly mount: string;
}

/** One operation, before what all have alike is added. */
interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Node[];
  readonly body?: Node;
  readonly responses: Readonly<Record<string, Node>>;
}

/** The model's paths with their operations; what nobody may do is not there. */
export function modelPaths(model: Model, making: Making): Readonly<Record<string, Node>> {
  const { name } = model;
  const base = `${making.mount}/${name}`;
  const key = keyParameter(model);
  const row = `${base}/{${keyName(model)}}`;
  const paths = {
    [base]: { ...listing(model, making), ...creating(model, making), ...bulk(model, making) },
    [`${base}/query`]: querying(model, making),
    [`${base}/aggregate`]: aggregating(model, making),
    [row]: withKey(key, { ...getting(model, making), ...changing(model, making), ...deleting(model, making) }),
    [`${row}/restore`]: withKey(key, restoring(model, making)),
  };
  return Object.fromEntries(Object.entries(paths).filter(([, path]) => Object.keys(path).length > 0));
}

function withKey(key: Node, operations: Node): Node {
  return Object.keys(operations).length === 0 ? {} : { parameters: [key], ...operations };
}

type Kind = keyof typeof codesOf;

interface Naming {
  readonly model: Model;
  readonly making: Making;
  readonly kind: Kind;
  /** As in `films.create`; the kind where it is not said. */
  readonly id?: string;
}

function operation(
  { model, making, kind, id = kind }: Naming,
  { summary, description, parameters = [], body, responses }: Operation,
): Node {
  const isOneRow = kind === "update" || kind === "delete";
  const isBulk = kind === "updateMany" || kind === "deleteMany";
  const codes = [...codesOf[kind], ...(model.requireVersion && (isOneRow || isBulk) ? ["precondition_required"] : [])];
  const isRead = kind === "list" || kind === "query" || kind === "get" || kind === "aggregate";
  const headers = [parameter(isRead ? "Holdfast-Position" : "Idempotency-Key")];
  const all = [...parameters, ...headers];
  return {
    tags: [model.name],
    operationId: `${model.name}.${id}`,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(all.length > 0 ? { parameters: all } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: { ...responses, ...making.refusals(codes, !isRead) },
  };
}

const common = { "X-Request-Id": header("X-Request-Id"), "Server-Timing": header("Server-Timing") };
const replayed = {
  "Idempotency-Replayed": header("Idempotency-Replayed"),
  "Holdfast-Position": header("Holdfast-Position"),
};
const written = { ...common, ...replayed, "Preference-Applied": header("Preference-Applied") };

/** A successful answer in JSON. */
export function answer(description: string, schema: Node, headers: Readonly<Record<string, Node>> = {}): Node {
  return { description, headers: { ...common, ...headers }, content: { "application/json": { schema } } };
}

/** A successful answer to a write, in JSON. */
export function writeAnswer(description: string, schema: Node): Node {
  return answer(description, schema, replayed);
}

/** A body in JSON. */
export function jsonBody(schema: Node, required = true): Node {
  return { required, content: { "application/json": { schema } } };
}

function patchBody(schema: Node): Node {
  return { required: true, content: { "application/json": { schema }, "application/merge-patch+json": { schema } } };
}

function empty(description: string, more: Readonly<Record<string, Node>> = {}): Node {
  return { description, headers: { ...written, ...more } };
}

function listing(model: Model, making: Making): Node {
  if (!isOpen(model, "read")) return {};
  const page = answer("A page of rows.", ref(`${model.name}.Page`), { Link: header("Link") });
  const parameters = listParameters(model, making.parameters);
  return {
    get: operation({ model, making, kind: "list" }, { summary: `List ${model.name}`, parameters, responses: { "200": page } }),
  };
}

function querying(model: Model, making: Making): Node {
  if (!isOpen(model, "read")) return {};
  const made = operation(
    { model, making, kind: "query" },
    {
      summary: `List ${model.name}, with the query as a body`,
      description: `Changes nothing. HTTP \`QUERY\` on \`${making.mount}/${model.name}\` takes the same body.`,
      body: jsonBody(ref(`${model.name}.Query`)),
      responses: { "200": answer("A page of rows.", ref(`${model.name}.Page`)) },
    },
  );
  return { post: made };
}

function aggregating(model: Model, making: Making): Node {
  if (!isOpen(model, "read")) return {};
  const made = operation(
    { model, making, kind: "aggregate" },
    {
      summary: `Count, sum and group ${model.name}`,
      description: "Only rows that the caller may read are counted.",
      parameters: aggregateParameters(model, making.parameters),
      responses: { "200": answer("One object for each group.", aggregateSchema(model)) },
    },
  );
  return { get: made };
}

function aggregateSchema(model: Model): Node {
  const fields = readableFields(model).filter(({ type }) => type.ordered);
  const values = (of: readonly { readonly name: string }[], schema: Node): Node => ({
    type: "object",
    properties: Object.fromEntries(of.map(({ name }) => [name, schema])),
    additionalProperties: false,
  });
  const own = Object.fromEntries(fields.map((field) => [field.name, { anyOf: [wireSchema(unbounded(field)), nothing] }]));
  const counts = values(readableFields(model), { type: "integer", minimum: 0 });
  const numbers = fields.filter(({ type }) => type.numeric);
  const sums = values(numbers, { type: ["number", "string", "null"] });
  const result: Record<string, Json> = {
    group: { type: "object", description: "Values of the groups, by their names as asked for.", additionalProperties: true },
    count: { anyOf: [{ type: "integer", minimum: 0 }, counts] },
    countOf: { ...counts, description: "Counts of fields, where rows are counted too." },
    ...(numbers.length > 0 ? { sum: sums, avg: values(numbers, { type: ["number", "null"] }) } : {}),
  };
  const ends = { type: "object", properties: own, additionalProperties: false };
  return {
    type: "object",
    properties: {
      data: {
        type: "array",
        items: { type: "object", properties: { ...result, min: ends, max: ends }, additionalProperties: false },
      },
    },
    required: ["data"],
    additionalProperties: false,
  };
}

// A result may pass the bounds of the field.
function unbounded({ type, params: { scale, choices } }: Field): Typed {
  return { type, params: { scale, choices } };
}

// Where nobody may read rows, a write is answered without them.
function rowAnswers(model: Model, description: string, more: Readonly<Record<string, Node>>): Node {
  const headers = { ...written, ...tagOf(model), ...more };
  return isOpen(model, "read") ? answer(description, answeredRow(model), headers) : { description, headers };
}

function creating(model: Model, making: Making): Node {
  if (!isOpen(model, "create")) return {};
  const input = ref(`${model.name}.Create`);
  const rows = { type: "array", items: input, minItems: 1, maxItems: making.batchMax };
  const location = { Location: header("Location") };
  const one = rowAnswers(
    model,
    "The new row; for a list, `data` with all of them. Without a body for `return=minimal`, and where the caller may not read it.",
    location,
  );
  const many = {
    type: "object",
    properties: { data: { type: "array", items: { anyOf: [...(answeredRow(model)["anyOf"] as Json[]), nothing] } } },
    required: ["data"],
    additionalProperties: false,
  };
  const created = isOpen(model, "read")
    ? { ...one, content: { "application/json": { schema: { anyOf: [answeredRow(model), many] } } } }
    : one;
  const canUpsert = isOpen(model, "update") && making.parameters.has(`${model.name}.onConflict`);
  const upsert = canUpsert ? [parameter(`${model.name}.onConflict`), parameter("onConflictDo")] : [];
  const made = operation(
    { model, making, kind: "create" },
    {
      summary: `Create ${model.name}`,
      description: `One row, or all rows of a list, or none of them.${canUpsert ? " With `onConflict` it is an upsert of one row." : ""}`,
      parameters: [...upsert, ...selectingParameters(model, making.parameters, false), parameter("Prefer")],
      body: jsonBody({ anyOf: [input, rows] }),
      responses: {
        ...(canUpsert
          ? {
              "200": rowAnswers(model, "An upsert found the row: as it is now.", {}),
              "204": empty("The same, without a body.", tagOf(model)),
            }
          : {}),
        "201": created,
      },
    },
  );
  return { post: made };
}

function bulk(model: Model, making: Making): Node {
  const affected = writeAnswer("How many rows changed.", ref("Affected"));
  const parameters = [{ $ref: `#/components/parameters/${model.name}.filter` }, parameter("maxAffected")];
  const description = "Takes a filter, and `maxAffected`: where more rows match, none changes.";
  const patch = operation(
    { model, making, kind: "updateMany" },
    {
      summary: `Update many ${model.name}`,
      description,
      parameters,
      body: patchBody(ref(`${model.name}.Update`)),
      responses: { "200": affected },
    },
  );
  const remove = operation(
    { model, making, kind: "deleteMany" },
    { summary: `Delete many ${model.name}`, description, parameters, responses: { "200": affected } },
  );
  const canFind = isOpen(model, "read") && !model.requireVersion;
  return {
    ...(canFind && isOpen(model, "update") ? { patch } : {}),
    ...(canFind && isOpen(model, "delete") ? { delete: remove } : {}),
  };
}

// An adopted table keeps no version: there is nothing to tell, and nothing to match.
function tagOf({ version }: Model): Readonly<Record<string, Node>> {
  return version ? { ETag: header("ETag") } : {};
}

function matching({ version }: Model): readonly Node[] {
  return version ? [parameter("If-Match")] : [];
}

function getting(model: Model, making: Making): Node {
  if (!isOpen(model, "read") || model.key.length === 0) return {};
  const made = operation(
    { model, making, kind: "get" },
    {
      summary: `Get one of ${model.name}`,
      parameters: [
        ...selectingParameters(model, making.parameters, true),
        ...trashParameter(model),
        ...matching(model),
        ...(model.version ? [parameter("If-None-Match")] : []),
      ],
      responses: {
        "200": answer("The row.", answeredRow(model), tagOf(model)),
        ...(model.version
          ? { "304": { description: "The caller has it already.", headers: { ...common, ...tagOf(model) } } }
          : {}),
      },
    },
  );
  return { get: made };
}

function changing(model: Model, making: Making): Node {
  if (!isOpen(model, "update")) return {};
  const picking = selectingParameters(model, making.parameters, false);
  const headers = [...matching(model), parameter("Prefer")];
  const changed = rowAnswers(model, "The row as it is now.", {});
  const silent = empty(
    "The row has changed, and is not answered: `return=minimal`, or the caller may not read it.",
    tagOf(model),
  );
  const patch = operation(
    { model, making, kind: "update" },
    {
      summary: `Update one of ${model.name}`,
      parameters: [...picking, ...headers],
      body: patchBody(ref(`${model.name}.Update`)),
      responses: { "200": changed, "204": silent },
    },
  );
  // A key that the database counts is not the caller's to choose.
  if (!isOpen(model, "create") || model.key.some(({ params }) => params.serial)) return { patch };
  const put = operation(
    { model, making, kind: "update", id: "put" },
    {
      summary: `Replace or create one of ${model.name}`,
      parameters: [...picking, ...headers, parameter("If-Absent")],
      body: jsonBody(ref(`${model.name}.Put`)),
      responses: {
        "200": changed,
        "201": rowAnswers(model, "There was none: the new row.", { Location: header("Location") }),
        "204": silent,
      },
    },
  );
  return { patch, put };
}

function deleting(model: Model, making: Making): Node {
  if (!isOpen(model, "delete")) return {};
  const made = operation(
    { model, making, kind: "delete" },
    {
      summary: `Delete one of ${model.name}`,
      ...(model.softDelete ? { description: "The row goes into the trash, from where it can be restored." } : {}),
      parameters: [...(hasTrash(model) ? [parameter("purge")] : []), ...matching(model)],
      responses: { "204": empty("It is deleted.") },
    },
  );
  return { delete: made };
}

function restoring(model: Model, making: Making): Node {
  if (!hasTrash(model)) return {};
  const made = operation(
    { model, making, kind: "restore" },
    {
      summary: `Restore one of ${model.name} from the trash`,
      parameters: [...selectingParameters(model, making.parameters, false), parameter("Prefer")],
      responses: {
        "200": rowAnswers(model, "The row as it is now.", {}),
        "204": empty("The same, without a body.", tagOf(model)),
      },
    },
  );
  return { post: made };
}

/** A sentence on a model, for its tag. */
export function describeModel(model: Model): string {
  if (model.key.length === 0)
    return `Rows of \`${model.name}\`, which have no key: they are listed and counted, and have no address.`;
  const keyed = model.key.length > 1 ? ` Its key is ${namesOf(model.key)}.` : "";
  return `Rows of \`${model.name}\`.${keyed}${model.softDelete ? " Deleted rows go into the trash." : ""}${model.requireVersion ? " Changes must say which version they change (If-Match)." : ""}`;
}
