/** Actions: operations that the backend writes itself. Input is checked, access decided, and the answer turned into JSON. */
import type { Issue } from "../../base/errors.ts";
import { isMisfit, wireOf } from "../../schema/fields/field-type.ts";
import type { DocumentField } from "../../schema/schema.ts";
import type { Actor } from "../actor.ts";
import type { Call } from "../call.ts";
import { didYouMean } from "../../base/suggest.ts";
import { badInput } from "../errors.ts";
import { denied, foldFacts } from "../guard.ts";
import type { Operation } from "../operation.ts";
import { runPlaced } from "./refuse.ts";
import type { Writing } from "../context.ts";

/** A schema of another library for an action's input (Standard Schema, version 1: zod, valibot, arktype …). */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}
type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** What the handler of an action is given; the backend's face puts the types on. */
export interface ActionRun {
  readonly operation: Extract<Operation, { of: "action" }>;
  readonly standard: StandardSchema | null;
  readonly handler: (context: ActionContext) => unknown;
}

export interface ActionContext {
  readonly input: unknown;
  readonly me: Actor;
  /** The instant of the request. */
  readonly now: Date;
  readonly newId: () => string;
  readonly requestId: string | null;
  readonly writing: Writing;
}

type ActionCall = Extract<Call, { op: "action" }>;

/** Where an input stands, and whether its values are texts from a URL. */
interface Given {
  readonly pointer: string;
  readonly texts: boolean;
}

/** Runs an action for a caller. @throws unauthenticated, forbidden, invalid_input, and what the handler throws */
export async function runAction(run: ActionRun, call: ActionCall, writing: Writing): Promise<string> {
  const { actor, requestId } = writing.origin;
  const facts = writing.context.factsOf(actor);
  if (!facts.system && foldFacts(run.operation.access, facts).op !== "true") throw denied(actor);
  const input = run.standard
    ? await checkStandard(run.standard, call.input, writing.pointer)
    : checkInput(run.operation.input ?? new Map(), call.input, { pointer: writing.pointer, texts: call.texts === true });
  const { nowMs, context, pointer } = writing;
  const given = { input, me: actor, now: new Date(nowMs), newId: context.newId, requestId, writing };
  const answer = await runPlaced(pointer, () => run.handler(given));
  return JSON.stringify(answer === undefined ? null : answer);
}

/** Checks an input against its fields and gives its wire form, defaults filled in. */
export function checkInput(
  fields: ReadonlyMap<string, DocumentField>,
  given: unknown,
  { pointer, texts }: Given,
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  const faults: Issue[] = [];
  const object = given ?? {};
  if (typeof object !== "object" || Array.isArray(object))
    throw badInput([{ pointer, code: "type", message: "must be an object." }]);
  for (const name of Object.keys(object)) {
    if (!fields.has(name))
      faults.push({
        pointer: `${pointer}/${name.slice(0, 64)}`,
        code: "unknown_field",
        message: `There is no such field.${didYouMean(name, fields.keys())}`,
      });
  }
  for (const [name, field] of fields) {
    const value = (object as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || value === null) {
      if (!field.optional) faults.push({ pointer: `${pointer}/${name}`, code: "required", message: "This field is required." });
      else input[name] = null;
      continue;
    }
    const read = texts && typeof value === "string" && field.type.fromText ? field.type.fromText(value) : value;
    const parsed = isMisfit(read) ? read : field.type.parse(read, field.params);
    if (isMisfit(parsed)) faults.push({ pointer: `${pointer}/${name}`, code: parsed.code, message: `${parsed.misfit}.` });
    else input[name] = wireOf(field, parsed);
  }
  if (faults.length > 0) throw badInput(faults);
  return input;
}

async function checkStandard(schema: StandardSchema, given: unknown, pointer: string): Promise<unknown> {
  const result = await schema["~standard"].validate(given);
  if (!result.issues) return result.value;
  const errors = result.issues.map(({ message, path }) => ({
    pointer: [pointer, ...(path ?? []).map((part) => String(typeof part === "object" ? part.key : part))].join("/"),
    code: "invalid",
    message,
  }));
  throw badInput(errors);
}
