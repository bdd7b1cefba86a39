/** Declares fields: a maker per field type, and the modifiers they share. Pure data behind a typed face. */
import type { Expr } from "./cond.ts";
import { bigintType } from "./fields/bigint.ts";
import { booleanType } from "./fields/boolean.ts";
import { bytesType } from "./fields/bytes.ts";
import { choiceType } from "./fields/choice.ts";
import { dateType } from "./fields/date.ts";
import { datetimeType } from "./fields/datetime.ts";
import { decimalType } from "./fields/decimal.ts";
import { emailType } from "./fields/email.ts";
import type { FieldType } from "./fields/field-type.ts";
import { floatType } from "./fields/float.ts";
import { integerType } from "./fields/integer.ts";
import { jsonType } from "./fields/json.ts";
import { listType } from "./fields/list.ts";
import { slugType } from "./fields/slug.ts";
import { textType } from "./fields/text.ts";
import { timeType } from "./fields/time.ts";
import { urlType } from "./fields/url.ts";
import { uuidType } from "./fields/uuid.ts";
import type { FieldParams, GenerateContext } from "./schema.ts";
import type { Json } from "./value.ts";

declare const carries: unique symbol;

/** What the modifiers of a field say of it, for the types of inputs and results. */
export type Flag = "unique" | "optional" | "default" | "readOnly" | "writeOnce" | "immutable" | "hidden" | "computed";

/** The instant of the request, in rules and defaults; every use within one request is the same instant. */
export interface Now {
  readonly ref: "now";
}
/** The instant of the request, in rules and defaults. */
export const now: Now = Object.freeze({ ref: "now" });

/** As a default: the id of the actor. */
export interface Me {
  readonly ref: "me";
  readonly claim: "id";
}
/** As a default: the id of the actor. */
export const me: Me = Object.freeze({ ref: "me", claim: "id" });

/** As a default: a value made by a function when a row is created. */
export interface Generated<T> {
  readonly ref: "generated";
  readonly make: (context: GenerateContext) => T;
}
/** A default made by a function when a row is created. */
export function generated<T>(make: (context: GenerateContext) => T): Generated<T> {
  return Object.freeze({ ref: "generated", make });
}

/** As a default: what the database itself gives, where a column of an adopted table has a default or is computed. */
export interface ByDatabase {
  readonly ref: "database";
}
/** As a default: what the database itself gives, where a column of an adopted table has a default or is computed. */
export const byDatabase: ByDatabase = Object.freeze({ ref: "database" });

/** What is declared of a field, before names are resolved. */
export interface FieldSpec {
  readonly kind: "field";
  readonly type: FieldType;
  readonly params: Omit<FieldParams, "item" | "shape"> & {
    readonly item?: FieldSpec | undefined;
    readonly shape?: Readonly<Record<string, FieldSpec>> | undefined;
  };
  readonly flags: ReadonlySet<Flag>;
  readonly unique: boolean;
  readonly default: unknown;
  readonly was: readonly string[];
  readonly column: string | null;
  readonly native: string | null;
  readonly expression: ((context: { row: unknown }) => Expr) | null;
}

/** A field of wire type `T`. */
export interface Field<T, F extends Flag = never> {
  readonly [carries]?: { readonly type: T; readonly flags: F };
  readonly spec: FieldSpec;
  /** May be null. */
  optional(): Field<T, F | "optional">;
  /** What it is when a create leaves it out: a value, `now`, `me`, `generated(…)` or `byDatabase`. */
  default(value: T | Now | Me | Generated<T> | ByDatabase): Field<T, F | "default">;
  /** No two rows share it; nulls do not count. */
  unique(): Field<T, F>;
  /** Lowest value, or shortest text, list or bytes. */
  min(bound: number | string): Field<T, F>;
  /** Highest value, or longest text, list or bytes. */
  max(bound: number | string): Field<T, F>;
  /** Texts only: must match. */
  pattern(pattern: RegExp): Field<T, F>;
  /** Callers cannot write it; hooks, actions and `db.system` can. */
  readOnly(): Field<T, F | "readOnly">;
  /** Once it is not null it stays as it is. */
  writeOnce(): Field<T, F | "writeOnce">;
  /** Given at creation, and never changed. */
  immutable(): Field<T, F | "immutable">;
  /** Never on the wire; for `db.system`, hooks and rules. */
  hidden(): Field<T, F | "hidden">;
  /** The name it had before, so that the migration renames it and keeps its values. */
  was(name: string): Field<T, F>;
  /**
   * The column's name, where it is not the field's name in snake_case. With a column of an adopted table comes its type, as the
   * database spells it: `.column("UnitPrice", "NUMERIC(10,2)")`.
   */
  column(name: string, native?: string): Field<T, F>;
}

function createField<T, F extends Flag>(spec: FieldSpec): Field<T, F> {
  const flagged = (flag: Flag) => createField<T, never>({ ...spec, flags: new Set([...spec.flags, flag]) });
  const bounded = (params: FieldParams) => createField<T, F>({ ...spec, params: { ...spec.params, ...(params as object) } });
  const field = {
    spec: Object.freeze(spec),
    optional: () => flagged("optional"),
    default: (value: unknown) => createField<T, never>({ ...spec, default: value, flags: new Set([...spec.flags, "default"]) }),
    unique: () => createField<T, F>({ ...spec, unique: true }),
    min: (min: number | string) => bounded({ min }),
    max: (max: number | string) => bounded({ max }),
    pattern: (pattern: RegExp) => bounded({ pattern }),
    readOnly: () => flagged("readOnly"),
    writeOnce: () => flagged("writeOnce"),
    immutable: () => flagged("immutable"),
    hidden: () => flagged("hidden"),
    was: (name: string) => createField<T, F>({ ...spec, was: [...spec.was, name] }),
    column: (column: string, native: string | null = null) => createField<T, F>({ ...spec, column, native }),
  };
  return Object.freeze(field) as unknown as Field<T, F>;
}

function declare<T>(type: FieldType, params: FieldSpec["params"] = {}): Field<T> {
  return createField<T, never>({
    kind: "field",
    type,
    params,
    flags: new Set(),
    unique: false,
    default: undefined,
    was: [],
    column: null,
    native: null,
    expression: null,
  });
}

/** Makes a computed field out of the field that types it. */
export function toComputed<T>(field: Field<T, Flag>, expression: (context: { row: unknown }) => Expr): Field<T, "computed"> {
  return createField({ ...field.spec, expression, flags: new Set([...field.spec.flags, "computed"]) });
}

/** Unicode text, at most 65,536 code points unless `max` says otherwise. */
export const text = (): Field<string> => declare(textType);
/** A whole number within ±(2^53 − 1). */
export const integer = (): Field<number> => declare(integerType);
/** A 64-bit whole number; text on the wire. */
export const bigint = (): Field<string> => declare(bigintType);
/** An IEEE 754 double. */
export const float = (): Field<number> => declare(floatType);
/** An exact decimal of `precision` digits, `scale` of them after the point; text on the wire. At most 18 digits. */
export const decimal = (precision: number, scale: number): Field<string> => declare(decimalType, { precision, scale });
/** True or false. */
export const boolean = (): Field<boolean> => declare(booleanType);
/** An instant in UTC, to the millisecond; ISO 8601. */
export const datetime = (): Field<string> => declare(datetimeType);
/** A calendar day. */
export const date = (): Field<string> => declare(dateType);
/** A time of day, to the second. */
export const time = (): Field<string> => declare(timeType);
/** A UUID of any version (RFC 9562), in lower case. */
export const uuid = (): Field<string> => declare(uuidType);
/** One of the given texts. */
export const choice = <const C extends readonly string[]>(...choices: C): Field<C[number]> => declare(choiceType, { choices });
/** A document: any JSON, or an object of the given fields. */
export function json(): Field<Json>;
export function json<const S extends Readonly<Record<string, Field<unknown, Flag>>>>(shape: S): Field<DocumentOf<S>>;
export function json(shape?: Readonly<Record<string, Field<unknown, Flag>>>): Field<unknown> {
  return declare(
    jsonType,
    shape ? { shape: Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, field.spec])) } : {},
  );
}
/** Bytes; base64 on the wire. At most 65,536 unless `max` says otherwise. */
export const bytes = (): Field<string> => declare(bytesType);
/** A list of values of one type. */
export const list = <T>(item: Field<T, Flag>): Field<T[]> => declare(listType, { item: item.spec });
/** An e-mail address, in the form that HTML gives for its input. */
export const email = (): Field<string> => declare(emailType);
/** An absolute http or https URL. */
export const url = (): Field<string> => declare(urlType);
/** Lower-case words joined by hyphens, for addresses. */
export const slug = (): Field<string> => declare(slugType);
/** A whole number that the database counts up; for keys. */
export const serial = (): Field<number, "readOnly" | "default"> =>
  createField({ ...declare(integerType, { serial: true }).spec, flags: new Set<Flag>(["readOnly", "default"]) });

/** The wire type of a field, null included where it is optional. */
export type TypeOf<X> = X extends Field<infer T, infer F> ? ("optional" extends F ? T | null : T) : never;
/** The wire type of an object of fields. */
export type DocumentOf<S> = { readonly [K in keyof S as IsOptional<S[K]> extends true ? never : K]: TypeOf<S[K]> } & {
  readonly [K in keyof S as IsOptional<S[K]> extends true ? K : never]?: TypeOf<S[K]>;
};
type IsOptional<X> =
  X extends Field<unknown, infer F> ? ("optional" extends F ? true : "default" extends F ? true : false) : false;
