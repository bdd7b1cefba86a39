/** The SQL functions that compiled statements call, in a schema of their own beside the user's. */
import type { StepRef } from "../../database.ts";
import { literal } from "./text.ts";

/** The schema that holds what the product needs in a database; it touches no other. */
export const ownSchema = "holdfast";

/** Raised when a function below changes: the next start then replaces them. */
const version = 1;

export type FunctionName = "fold" | "real" | "refuse" | "remember" | "recall";

/** The function as statements call it. */
export function functionName(name: FunctionName): string {
  return `${ownSchema}.${name}`;
}

/** Within a transaction a setting of this name holds what a step has returned. */
export function placeOf({ step, column }: StepRef): string {
  return `${ownSchema}.s${step}_${column}`;
}

/** What a refusing function raises: a class of our own, so that its message is the reason. */
export const refusedState = "HF001";

/** Asks for the version of the functions that are there; null where there are none. */
export const versionText = `select obj_description(to_regprocedure('${ownSchema}.refuse(text)'), 'pg_proc')`;

/** Whether what `versionText` answered is what this code needs. */
export function isCurrent(answer: unknown): boolean {
  return answer === String(version);
}

/** Serialises those who make the schema: two nodes may start at once. */
const lock = "select pg_advisory_xact_lock(hashtext('holdfast functions'))";

/**
 * - `fold(text)`: for comparing without case or accents: NFKD, marks removed, lower-case (as base/fold.ts).
 * - `real(double precision)`: the text that ECMAScript writes, which is the shortest that reads back as the same double.
 * - `refuse(text)`: fails with the reason, unless it is null.
 * - `remember(name, value)` and `recall(name)`: hand a value from one statement of a transaction to a later one.
 */
export function createFunctions(): readonly string[] {
  return [
    lock,
    `create schema if not exists ${ownSchema}`,
    `create or replace function ${functionName("fold")}(value text) returns text language sql immutable strict parallel safe
     as $$ select lower(regexp_replace(normalize(value, NFKD), ${literal(`[${marks()}]`)}, '', 'g') collate "und-x-icu") $$`,
    `create or replace function ${functionName("real")}(value double precision) returns text language sql immutable strict parallel safe
     as $$ select case
       when value = 0 then '0'
       when abs(value) >= 1e21 or abs(value) < 1e-6 then regexp_replace(value::text, 'e([+-])0+', 'e\\1')
       when value::text ~ 'e' then (value::text)::numeric::text
       else value::text end $$`,
    `create or replace function ${functionName("refuse")}(reason text) returns text language plpgsql
     as $$ begin if reason is not null then raise exception using errcode = '${refusedState}', message = reason; end if; return null; end $$`,
    `create or replace function ${functionName("remember")}(name text, value text) returns text language sql
     as $$ select set_config(name, coalesce('=' || value, '-'), true) $$`,
    `create or replace function ${functionName("recall")}(name text) returns text language plpgsql stable
     as $$ declare kept text := current_setting(name, true); begin
       if coalesce(kept, '') = '' then raise exception 'nothing is remembered as %', name; end if;
       return case when kept = '-' then null else substr(kept, 2) end; end $$`,
    `comment on function ${functionName("refuse")}(text) is ${literal(String(version))}`,
  ];
}

/** Every combining mark (general category M) as ranges of a character class. */
function marks(): string {
  const ranges: string[] = [];
  const codePointMax = 0x10ffff;
  const write = (code: number) =>
    code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  let first = -1;
  for (let code = 0x300; code <= codePointMax + 1; code++) {
    const isMark = code <= codePointMax && (code < 0xd800 || code > 0xdfff) && /^\p{M}$/u.test(String.fromCodePoint(code));
    if (isMark && first < 0) first = code;
    if (!isMark && first >= 0) {
      ranges.push(first === code - 1 ? write(first) : `${write(first)}-${write(code - 1)}`);
      first = -1;
    }
  }
  return ranges.join("");
}
