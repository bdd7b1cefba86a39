/** Paths beside the models': batches, actions and health. */
import type { Operation } from "../../engine/operation.ts";
import type { DocumentField, Model } from "../../schema/schema.ts";
import type { Json } from "../../schema/value.ts";
import { header, parameter } from "./parameters.ts";
import { answer, jsonBody, type Making, writeAnswer } from "./model-paths.ts";
import { codesOf } from "./problems.ts";
import { ref } from "./rows.ts";
import { exampleOf, inputSchema, type Node, objectSchema, wireSchema } from "./values.ts";
import { isOpen } from "./visible.ts";

type Action = Extract<Operation, { of: "action" }>;

/** The path of an action; a read action also answers GET. Undefined where nobody may call it. */
export function actionPath(action: Action, making: Making): Node | undefined {
  if (action.access.op === "false") return undefined;
  const isRead = action.kind === "read";
  const answered = action.output ? objectSchema(action.output, wireSchema) : {};
  const about = { tags: ["Actions"], summary: action.summary };
  const input = inputOf(action);
  const post = {
    ...about,
    operationId: isRead ? `${action.name}.post` : action.name,
    ...(isRead ? {} : { parameters: [parameter("Idempotency-Key")] }),
    requestBody: input,
    responses: {
      "200": isRead ? answer("What the action gave.", answered) : writeAnswer("What the action gave.", answered),
      ...making.refusals(codesOf.action, true),
    },
  };
  if (!isRead) return { post };
  const get = {
    ...about,
    operationId: action.name,
    parameters: [...(action.input ?? [])].map(([name, field]) => queryParameter(name, field)),
    responses: { "200": answer("What the action gave.", answered), ...making.refusals(codesOf.readAction, true) },
  };
  return { get, post };
}

function inputOf({ input }: Action): Node {
  if (input === null) return jsonBody({}, false);
  const schema = objectSchema(input, inputSchema);
  const examples = [...input].map(([name, field]) => [name, exampleOf(name, field)] as const);
  const isComplete = examples.every(([, value]) => value !== undefined);
  const example = Object.fromEntries(examples.filter((entry): entry is readonly [string, Json] => entry[1] !== undefined));
  const isNeeded = [...input.values()].some(({ optional }) => !optional);
  return jsonBody({ ...schema, ...(isComplete ? { examples: [example] } : {}) }, isNeeded);
}

function queryParameter(name: string, field: DocumentField): Node {
  return { name, in: "query", required: !field.optional, schema: inputSchema(field) };
}

/** The path of batches. */
export function batchPath(models: readonly Model[], actions: readonly Action[], making: Making): Node {
  const named = (names: readonly string[]): Json => ({ type: "string", enum: names });
  const targets = {
    create: models.filter((model) => isOpen(model, "create")).map(({ name }) => name),
    update: models.filter((model) => isOpen(model, "update")).map(({ name }) => name),
    delete: models.filter((model) => isOpen(model, "delete")).map(({ name }) => name),
    upsert: models.filter((model) => isOpen(model, "create") && isOpen(model, "update")).map(({ name }) => name),
    action: actions.filter(({ access }) => access.op !== "false").map(({ name }) => name),
  };
  const kinds = Object.entries(targets).filter(([, names]) => names.length > 0);
  const created = targets.create[0];
  const op: Node = {
    type: "object",
    properties: {
      id: { type: "string", description: "For references of later operations." },
      ...Object.fromEntries(kinds.map(([kind, names]) => [kind, named(names)])),
      key: {
        description: "The row of an update or delete, as in its path.",
        anyOf: [{ type: ["string", "integer"] }, ref("Reference")],
      },
      data: {
        description: 'As the body of the operation of its own; `{ "$ref": "o.id" }` stands for a field of an earlier answer.',
        type: "object",
      },
      ifVersion: { type: "integer", description: "Only where the row still has this version." },
      onConflict: { type: "array", items: { type: "string" }, description: "For an upsert: the fields that must be alike." },
      onConflictDo: { type: "string", enum: ["update", "nothing"], default: "update" },
    },
    oneOf: kinds.map(([kind]) => ({ required: [kind] })),
    additionalProperties: false,
  };
  const body: Node = {
    type: "object",
    properties: {
      atomic: { type: "boolean", default: true, description: "All operations or none; otherwise each by itself." },
      ops: { type: "array", items: op, maxItems: making.batchMax },
    },
    required: ["ops"],
    additionalProperties: false,
    ...(created === undefined ? {} : { examples: [{ atomic: true, ops: [{ id: "first", create: created, data: {} }] }] }),
  };
  const post = {
    tags: ["Batch"],
    operationId: "batch",
    summary: "Several operations in one request",
    description: "Each is under its own rule. A failure of an atomic batch names its operation.",
    parameters: [parameter("Idempotency-Key")],
    requestBody: jsonBody(body),
    responses: { "200": writeAnswer("The answers, in order.", batchAnswer), ...making.refusals(codesOf.batch, true) },
  };
  return { post };
}

const batchAnswer: Node = {
  type: "object",
  properties: {
    results: {
      type: "array",
      items: {
        type: "object",
        properties: {
          id: { type: "string" },
          status: { type: "integer" },
          version: { type: "integer", description: "The row's version, as in its `ETag`." },
          data: { description: "The row, what the action gave, or null where the caller may not read it." },
          error: ref("Problem"),
        },
        required: ["status"],
        additionalProperties: false,
      },
    },
  },
  required: ["results"],
  additionalProperties: false,
};

/** A reference of a batch to an earlier answer. */
export const referenceSchema: Node = {
  type: "object",
  description: 'As in `{ "$ref": "first.id" }`.',
  // Some readers take a property of this name for a reference of their own.
  patternProperties: { "^[$]ref$": { type: "string" } },
  minProperties: 1,
  additionalProperties: false,
};

/** The paths of health, which need no token. */
export const healthPaths: Readonly<Record<string, Node>> = {
  "/health/live": health("live", "Whether the process answers", false),
  "/health/ready": health("ready", "Whether requests can be served", true),
};

function health(name: string, summary: string, canFail: boolean): Node {
  const state = (values: readonly string[]): Node => ({
    type: "object",
    properties: { status: { type: "string", enum: values } },
    required: ["status"],
    additionalProperties: false,
  });
  const unready = answer(
    "Not now.",
    { type: "object", properties: { status: { type: "string" } }, required: ["status"], additionalProperties: false },
    { "Retry-After": header("Retry-After") },
  );
  const get = {
    tags: ["Health"],
    operationId: `health.${name}`,
    summary,
    security: [],
    responses: { "200": answer("Yes.", state([name])), ...(canFail ? { "503": unready } : {}) },
  };
  return { get };
}
