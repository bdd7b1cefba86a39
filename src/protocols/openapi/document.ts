/** The OpenAPI document (3.1), from the schema and the operations: what REST serves, to whoever may do anything with it. */
import type { Engine } from "../../engine/engine.ts";
import type { Operation } from "../../engine/operation.ts";
import type { Json } from "../../schema/value.ts";
import { addFilter, selectSchema } from "./filters.ts";
import { describeModel, type Making, modelPaths } from "./model-paths.ts";
import { actionPath, batchPath, healthPaths, referenceSchema } from "./other-paths.ts";
import { addParameters, sharedHeaders, sharedParameters } from "./parameters.ts";
import { createRefusals, type ErrorTable, issueSchema, problemSchema, refused } from "./problems.ts";
import { addRows, type Components } from "./rows.ts";
import type { Node } from "./values.ts";
import { isOpen } from "./visible.ts";

/** What the document is made of; an engine is one. */
export type Source = Pick<Engine, "schema" | "operations" | "limits">;

export interface OpenapiOptions {
  readonly title: string;
  /** The version of the API. */
  readonly version: string;
  /** The path that REST is under, as in `/api`. */
  readonly mount: string;
  /** The error tables of every floor that requests meet: an operation names those of its codes that stand in one. */
  readonly errors: readonly ErrorTable[];
}

/** The OpenAPI 3.1 document of a backend, as JSON. The same for every caller: fields that only some may read are marked so. */
export function openapiDocument({ schema, operations, limits }: Source, { title, version, mount, errors }: OpenapiOptions): Node {
  const components: Components = new Map(Object.entries(sharedSchemas));
  const parameters = new Map(Object.entries(sharedParameters));
  const responses = new Map<string, Node>([["Refused", refused]]);
  const making: Making = { schema, parameters, refusals: createRefusals(errors, responses), batchMax: limits.batchMax, mount };
  const models = [...schema.models.values()].filter((model) =>
    (["read", "create", "update", "delete"] as const).some((action) => isOpen(model, action)),
  );
  const actions = [...operations.values()].filter(
    (operation): operation is Extract<Operation, { of: "action" }> => operation.of === "action",
  );
  for (const model of models) {
    addRows(model, schema, components);
    if (!isOpen(model, "read")) continue;
    addFilter(model, schema, components);
    addParameters(model, schema, parameters);
  }
  const paths: Record<string, Json> = {};
  for (const model of models) Object.assign(paths, modelPaths(model, making));
  for (const action of actions) {
    const path = actionPath(action, making);
    if (path) paths[`${mount}/actions/${action.name}`] = path;
  }
  paths[`${mount}/batch`] = batchPath(models, actions, making);
  Object.assign(paths, healthPaths);
  const tags = [
    ...models.map((model) => ({ name: model.name, description: describeModel(model) })),
    ...(actions.some(({ access }) => access.op !== "false")
      ? [{ name: "Actions", description: "Operations that the backend writes itself." }]
      : []),
    { name: "Batch", description: "Several operations in one request." },
    { name: "Health", description: "For load balancers." },
  ];
  return usedOnly({
    openapi: "3.1.0",
    info: { title, version, description: introduction },
    servers: [{ url: "/", description: "This server." }],
    // A token, or none: anonymous is a caller too, and the rules decide.
    security: [{ bearer: [] }, {}],
    tags,
    paths,
    components: {
      schemas: Object.fromEntries(components),
      parameters: Object.fromEntries(parameters),
      responses: Object.fromEntries(responses),
      headers: sharedHeaders,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "`Authorization: Bearer <token>`." },
      },
    },
  });
}

const sharedSchemas: Readonly<Record<string, Node>> = {
  Problem: problemSchema,
  Issue: issueSchema,
  Select: selectSchema,
  Reference: referenceSchema,
  Page: {
    type: "object",
    description: "Where the page stands; null where there is no further one.",
    properties: {
      next: { type: ["string", "null"], description: "For `after`." },
      prev: { type: ["string", "null"], description: "For `before`." },
      count: { type: "integer", minimum: 0, description: "Rows in all, where `count` asked for it." },
    },
    required: ["next", "prev"],
    additionalProperties: false,
  },
  Affected: {
    type: "object",
    properties: { affected: { type: "integer", minimum: 0 } },
    required: ["affected"],
    additionalProperties: false,
  },
};

const introduction = `Every row is under access rules: what you may not read is not there for you, and answers as what does not exist.
Send a bearer token, or none to be anonymous.

- **Rows** carry a \`version\`, which is their \`ETag\`: send it back as \`If-Match\` so that no change overwrites another unseen.
- **Decimals** and 64-bit numbers are text, so that no reader rounds them. **Instants** are UTC in ISO 8601.
- **Lists** are pages: follow \`page.next\`, or the \`Link\` header. An unknown parameter, field or operator is an error, never ignored.
- **Writes** take an \`Idempotency-Key\`: repeat the request under it as often as you need.
- **Errors** are problem documents (RFC 9457) with a \`code\`; [the list](/docs/errors) explains each.

Every GET answers HEAD too, and every path OPTIONS with its methods in \`Allow\`; other methods get 405. An unknown path is 404.`;

/** The document without components that nothing refers to. */
function usedOnly(document: Node): Node {
  const components = document["components"] as Readonly<Record<string, Node>>;
  const used = new Set<string>();
  const visit = (value: Json): void => {
    if (typeof value !== "object" || value === null) return;
    const target = (value as Node)["$ref"];
    if (typeof target === "string" && !used.has(target)) {
      used.add(target);
      const [, , kind = "", name = ""] = target.split("/");
      visit(components[kind]?.[name] ?? null);
    }
    for (const inner of Object.values(value)) visit(inner as Json);
  };
  visit(document["paths"] as Json);
  const kept = Object.entries(components).map(([kind, nodes]) => {
    const isKept = (name: string) => kind === "securitySchemes" || used.has(`#/components/${kind}/${name}`);
    return [kind, Object.fromEntries(Object.entries(nodes).filter(([name]) => isKept(name)))] as const;
  });
  return { ...document, components: Object.fromEntries(kept) };
}
