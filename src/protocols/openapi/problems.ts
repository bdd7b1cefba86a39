/** Problem documents as answers: which codes an operation may be refused with, by status. */
import type { ErrorSpec } from "../../base/errors.ts";
import type { Json } from "../../schema/value.ts";
import { header } from "./parameters.ts";
import { ref } from "./rows.ts";
import type { Node } from "./values.ts";

/** An error table of a floor. */
export type ErrorTable = Readonly<Record<string, ErrorSpec>>;

/** The problem document (RFC 9457). */
export const problemSchema: Node = {
  type: "object",
  description: "A problem document (RFC 9457).",
  properties: {
    type: { type: "string", description: "A page that explains the code." },
    title: { type: "string" },
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: { type: "string", description: "What is wrong and what to do." },
    instance: { type: "string", description: "The path of the request." },
    code: { type: "string", description: "The code, which stays the same while texts may change." },
    requestId: { type: "string" },
    errors: { type: "array", items: ref("Issue"), minItems: 1 },
  },
  required: ["type", "title", "status", "detail", "instance", "code", "requestId"],
  additionalProperties: false,
};

export const issueSchema: Node = {
  type: "object",
  description: "One fault at one place of the request.",
  properties: {
    pointer: { type: "string", description: "A JSON pointer into the body (RFC 6901), or `?name` for a query parameter." },
    code: { type: "string" },
    message: { type: "string" },
  },
  required: ["pointer", "code", "message"],
  additionalProperties: false,
};

const everywhere = [
  ["malformed_request", "invalid_header", "invalid_parameter", "invalid_token", "unsupported_credentials", "not_acceptable"],
  ["request_timeout", "uri_too_long", "headers_too_large", "internal"],
  ["database_failed", "database_busy", "database_closed", "read_timeout", "rate_limited"],
].flat();
const guarded = ["unauthenticated", "forbidden"];
const bodiless = ["unexpected_body"];
const withBody = ["empty_body", "invalid_json", "payload_too_large", "unsupported_media_type"];
const query = ["invalid_query", "limit_exceeded"];
const writing = [
  ["invalid_input", "limit_exceeded", "conflict", "write_conflict", "idempotency_in_progress", "idempotency_mismatch"],
  ["database_read_only", "database_full", "transaction_timeout", "transaction_queue_full"],
].flat();
const oneRow = ["not_found", "precondition_failed"];

/** Codes by the kind of an operation. */
export const codesOf = {
  list: [...everywhere, ...guarded, ...bodiless, ...query, "invalid_cursor"],
  query: [...everywhere, ...guarded, ...withBody, ...query, "invalid_cursor"],
  get: [...everywhere, ...guarded, ...bodiless, ...query, ...oneRow],
  aggregate: [...everywhere, ...guarded, ...bodiless, ...query, "sum_out_of_range"],
  create: [...everywhere, ...guarded, ...withBody, ...query, ...writing, "not_found"],
  update: [...everywhere, ...guarded, ...withBody, ...query, ...writing, ...oneRow],
  delete: [...everywhere, ...guarded, ...bodiless, ...query, ...writing, ...oneRow, "still_referenced"],
  restore: [...everywhere, ...guarded, ...bodiless, ...query, ...writing, ...oneRow],
  updateMany: [...everywhere, ...guarded, ...withBody, ...query, ...writing, "too_many_affected"],
  deleteMany: [...everywhere, ...guarded, ...bodiless, ...query, ...writing, "too_many_affected", "still_referenced"],
  batch: [
    ...everywhere,
    ...guarded,
    ...withBody,
    ...query,
    ...writing,
    ...oneRow,
    "still_referenced",
    "precondition_required",
    "unknown_operation",
    "too_many_affected",
  ],
  readAction: [...everywhere, ...guarded, ...bodiless, "invalid_input"],
  action: [...everywhere, ...guarded, ...withBody, ...query, ...writing, ...oneRow, "still_referenced"],
} as const satisfies Record<string, readonly string[]>;

/** Makes the refusals of an operation. `open`: the backend's own code may refuse too, with any code and status. */
export type Refusals = (codes: readonly string[], open: boolean) => Node;

/** A maker of refusals that adds each response once to the components. Codes that stand in none of the tables are left out. */
export function createRefusals(tables: readonly ErrorTable[], responses: Map<string, Node>): Refusals {
  const known = new Map(tables.flatMap((table) => Object.entries(table)));
  const names = new Map<string, string>();
  return (codes, open) => {
    const made: Record<string, Json> = {};
    const found = [...new Set(codes)].filter((code) => known.has(code));
    for (const [status, group] of [...Map.groupBy(found, (code) => known.get(code)?.status ?? 0)].sort(([a], [b]) => a - b)) {
      const content = JSON.stringify([status, group, open]);
      const count = [...names.keys()].filter((key) => key.startsWith(`[${status},`)).length;
      const name = names.get(content) ?? `Problem.${status}${count === 0 ? "" : `.${count + 1}`}`;
      names.set(content, name);
      responses.set(
        name,
        refusal(
          status,
          group.map((code) => [code, known.get(code) as ErrorSpec] as const),
          open,
        ),
      );
      made[String(status)] = { $ref: `#/components/responses/${name}` };
    }
    if (open) made["default"] = { $ref: "#/components/responses/Refused" };
    return made;
  };
}

function refusal(status: number, codes: readonly (readonly [string, ErrorSpec])[], open: boolean): Node {
  const list = codes.map(([code, { message }]) => `- \`${code}\`: ${message}`).join("\n");
  const code: Node = open
    ? { type: "string", examples: codes.map(([name]) => name) }
    : { type: "string", enum: codes.map(([name]) => name) };
  const more: Node =
    status === 401
      ? { "WWW-Authenticate": header("WWW-Authenticate") }
      : status === 503 || status === 429
        ? { "Retry-After": header("Retry-After") }
        : {};
  return {
    description: list,
    headers: { "X-Request-Id": header("X-Request-Id"), ...more },
    content: problemContent({ allOf: [ref("Problem"), { type: "object", properties: { status: { const: status }, code } }] }),
  };
}

function problemContent(schema: Node): Node {
  return { "application/problem+json": { schema } };
}

/** What the backend's own code refuses with. */
export const refused: Node = {
  description: "The backend's own code refused it, with a code of its own.",
  headers: { "X-Request-Id": header("X-Request-Id") },
  content: problemContent(ref("Problem")),
};
