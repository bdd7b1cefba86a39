/** Holds answers, and the bodies that were taken, against an OpenAPI document with a JSON Schema 2020-12 validator. */
import { createRequire } from "node:module";
import type { Ajv2020 as AjvOf } from "ajv/dist/2020.js";

/** What was asked and what came back. */
export interface Exchanged {
  readonly method: string;
  /** As sent, with the query string. */
  readonly path: string;
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** The answer's body; empty where there is none. */
  readonly text: string;
  /** What was sent as JSON, where it was. */
  readonly body?: unknown;
}

/** Every way in which the exchange differs from the document; none is well. */
export type Conformance = (exchanged: Exchanged) => readonly string[];

type Node = { readonly [name: string]: unknown };
interface Content {
  readonly [type: string]: { readonly schema: Node };
}
interface Response {
  readonly content?: Content;
  readonly headers?: Node;
}
interface Operation {
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>;
}

// The validator comes with the one that checks the document, which is the devDependency.
const required = createRequire(createRequire(import.meta.url).resolve("@seriousme/openapi-schema-validator"));
const { Ajv2020 } = required("ajv/dist/2020") as { readonly Ajv2020: typeof AjvOf };
const addFormats = required("ajv-formats") as (ajv: AjvOf) => void;
/** The id that the document has in a validator. */
export const documentId = "https://document.test/openapi.json";

/** A validator that knows the document's components. Schemas in it refer to the document by its id. */
export function createValidator(document: Node): AjvOf {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ $id: documentId, ...document }, documentId);
  return ajv;
}

/** Statuses that a path or method which the document does not name may answer with: it says which are not there. */
const elsewhere = new Set([400, 401, 403, 404, 405, 408, 414, 428, 431]);

/** Makes the check of one document. */
export function createConformance(document: Node): Conformance {
  const ajv = createValidator(document);
  const paths = document["paths"] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  const templates = Object.keys(paths).sort((a, b) => countBraces(a) - countBraces(b));
  const compiled = new Map<string, ReturnType<AjvOf["compile"]>>();
  const faultsOf = (place: string, value: unknown): string[] => {
    const validate = compiled.get(place) ?? ajv.compile({ $ref: `${documentId}${place}` });
    compiled.set(place, validate);
    if (validate(value) === true) return [];
    return (validate.errors ?? [])
      .slice(0, 8)
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  };

  return (exchanged) => {
    const { status, text } = exchanged;
    const [path = "", search = ""] = exchanged.path.split("?");
    const found = templates.find((template) => matches(template, path));
    const place = found === undefined ? undefined : placeOf(exchanged.method, found);
    const operation = place && paths[place.template]?.[place.method];
    if (exchanged.method === "OPTIONS") return [];
    if (!place || !operation) {
      if (!elsewhere.has(status)) return [`${exchanged.method} ${path} is not in the document, and answered ${status}`];
      return exchanged.method === "HEAD" ? [] : faultsOf("#/components/schemas/Problem", JSON.parse(text));
    }
    const at = `#/paths/${escape(place.template)}/${place.method}`;
    const key = operation.responses[String(status)] ? String(status) : "default";
    const given = operation.responses[key];
    if (!given) return [`${exchanged.method} ${place.template} answered ${status}, which the document does not know`];
    const reference = "$ref" in given ? (given.$ref as string) : `${at}/responses/${key}`;
    const response = follow(document, reference) as Response;
    const isPicked = /(^|&)(fields|expand)/.test(search) || JSON.stringify(exchanged.body ?? "").includes('"select":');
    return [
      ...findLostHeaders(response, exchanged),
      ...(exchanged.method === "HEAD" ? [] : checkBody(response, reference, { exchanged, isPicked, faultsOf })),
      ...checkSent(operation, at, { exchanged, faultsOf }),
    ];
  };
}

interface Checking {
  readonly exchanged: Exchanged;
  readonly isPicked?: boolean;
  readonly faultsOf: (place: string, value: unknown) => string[];
}

function checkBody({ content }: Response, at: string, { exchanged, isPicked, faultsOf }: Checking): string[] {
  const { text, headers } = exchanged;
  const named = headers["content-type"];
  const type = typeof named === "string" ? (named.split(";")[0] as string) : "";
  // `return=minimal` leaves the body out.
  if (text === "") return content && headers["preference-applied"] === undefined ? ["the body is missing"] : [];
  const schema = content?.[type]?.schema;
  if (!schema) return [`a body of type ${type || "none"} is not in the document`];
  const place = `${at}/content/${escape(type)}/schema`;
  const value: unknown = JSON.parse(text);
  const faults = faultsOf(place, value);
  return isPicked ? faults : [...faults, ...checkWhole(schema, value, faultsOf)];
}

// A row may be a whole one or a selection. Where nothing was picked, it is a whole one.
function checkWhole(schema: Node, value: unknown, faultsOf: Checking["faultsOf"]): string[] {
  const row = /"#\/components\/schemas\/(\w+)\.(?:Row|Page)"/.exec(JSON.stringify(schema))?.[1];
  if (row === undefined || typeof value !== "object" || value === null) return [];
  const rows = "data" in value && Array.isArray(value.data) && !("id" in value) ? (value.data as unknown[]) : [value];
  return rows.filter((one) => one !== null).flatMap((one) => faultsOf(`#/components/schemas/${row}.Row`, one));
}

// What the server took, the document must allow.
function checkSent({ requestBody }: Operation, at: string, { exchanged, faultsOf }: Checking): string[] {
  const { status, body } = exchanged;
  if (status >= 300 || body === undefined || typeof body === "string" || body instanceof Uint8Array) return [];
  if (!requestBody) return ["a body was taken, and the document has none"];
  return faultsOf(`${at}/requestBody/content/application~1json/schema`, body).map((fault) => `the body that was sent: ${fault}`);
}

const always = new Set(["x-request-id", "server-timing"]);
const documented = ["etag", "location", "link", "idempotency-replayed", "preference-applied", "retry-after", "www-authenticate"];

function findLostHeaders({ headers = {} }: Response, { headers: answered }: Exchanged): string[] {
  const known = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lost = documented.filter((name) => answered[name] !== undefined && !known.has(name));
  const missing = [...always].filter((name) => known.has(name) && answered[name] === undefined);
  return [
    ...lost.map((name) => `the header ${name} is not in the document`),
    ...missing.map((name) => `the header ${name} is missing`),
  ];
}

function placeOf(method: string, template: string): { readonly method: string; readonly template: string } {
  if (method === "QUERY") return { method: "post", template: `${template}/query` };
  return { method: method === "HEAD" ? "get" : method.toLowerCase(), template };
}

function matches(template: string, path: string): boolean {
  const wanted = template.split("/");
  const parts = path.split("/");
  return (
    parts.length === wanted.length &&
    wanted.every((part, index) => part === parts[index] || (part.startsWith("{") && parts[index] !== ""))
  );
}

function countBraces(template: string): number {
  return template.split("{").length;
}

function escape(part: string): string {
  return encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")).replaceAll("%7E", "~");
}

function follow(document: Node, reference: string): unknown {
  const names = reference
    .slice(2)
    .split("/")
    .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce<unknown>((node, name) => (node as Node)[name], document);
}
