/** Checks the outline of JSON bodies: objects where objects are due, and no member that is not known. Fields are the engine's to judge. */
import { type AppError, type Issue } from "../../base/errors.ts";
import { didYouMean } from "../../base/suggest.ts";
import type { BatchOp, Data, Query } from "../../engine/call.ts";
import { badInput, badQuery } from "../../engine/errors.ts";
import { countWords, trashWords } from "./queries.ts";

type Members = Readonly<Record<string, unknown>>;

/** @throws invalid_input */
export function toData(body: unknown): Data {
  if (isObject(body)) return body;
  throw wrongType("", "must be an object.");
}

/** @throws invalid_input */
export function toDataList(body: readonly unknown[]): readonly Data[] {
  if (body.length === 0) throw wrongType("", "must have at least one row.");
  return body.map((row, index) => {
    if (isObject(row)) return row;
    throw wrongType(`/${index}`, "must be an object.");
  });
}

function isObject(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrongType(pointer: string, message: string): AppError {
  return badInput([{ pointer, code: "type", message: `${pointer === "" ? "The body" : "This"} ${message}` }]);
}

type Check = (value: unknown) => string | null;
const text: Check = (value) => (typeof value === "string" ? null : "must be a text.");
const whole: Check = (value) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? null : "must be a whole number from 1.";
const object: Check = (value) => (isObject(value) ? null : "must be an object.");
const truth: Check = (value) => (typeof value === "boolean" ? null : "must be true or false.");
const texts: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string") ? null : "must be a list of texts.";
const textOrTexts: Check = (value) =>
  text(value) === null || texts(value) === null ? null : "must be a text or a list of texts.";
const oneOf =
  (words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string) ? null : `must be one of ${words.join(", ")}.`;

const queryMembers: Readonly<Record<keyof Omit<Query, "texts">, Check>> = {
  where: object,
  orderBy: textOrTexts,
  select: object,
  limit: whole,
  after: text,
  before: text,
  page: whole,
  count: oneOf(countWords),
  trash: oneOf(trashWords),
};

/** The query of `POST /films/query`. @throws invalid_query */
export function toQuery(body: unknown): Query {
  if (!isObject(body)) throw badQuery("", "type", "The body must be an object: { where, orderBy, select, limit, after }.");
  const issue = findIssues(body, queryMembers, "")[0];
  if (issue) throw badQuery(issue.pointer, issue.code, issue.message);
  return body as Query;
}

const batchMembers = { atomic: truth, ops: (value: unknown) => (Array.isArray(value) ? null : "must be a list.") };

/** The body of `POST /batch`; what stands in an operation is the engine's to judge. @throws invalid_input */
export function toBatch(body: unknown): { readonly atomic: boolean; readonly ops: readonly BatchOp[] } {
  if (!isObject(body)) throw wrongType("", "must be an object: { atomic, ops }.");
  const issues = findIssues(body, batchMembers, "");
  if (body["ops"] === undefined) issues.push({ pointer: "/ops", code: "required", message: "ops is missing." });
  if (issues.length > 0) throw badInput(issues);
  return { atomic: body["atomic"] !== false, ops: body["ops"] as BatchOp[] };
}

function findIssues(value: Members, members: Readonly<Record<string, Check>>, at: string): Issue[] {
  const issues: Issue[] = [];
  for (const [name, member] of Object.entries(value)) {
    const shown = name.slice(0, 64);
    const pointer = `${at}/${shown.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const check = Object.hasOwn(members, name) ? members[name] : undefined;
    const fault = check?.(member);
    if (check === undefined)
      issues.push({
        pointer,
        code: "unknown_member",
        message: `There is no member ${JSON.stringify(shown)} here.${didYouMean(name, Object.keys(members))}`,
      });
    else if (fault !== null && fault !== undefined) issues.push({ pointer, code: "type", message: `${name} ${fault}` });
  }
  return issues;
}
