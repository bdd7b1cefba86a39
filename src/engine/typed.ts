/** Types that follow from the models: filters, selections, results and inputs, by inference alone. No code. */
import type { Operator } from "../schema/cond.ts";
import type { Field, Flag, TypeOf } from "../schema/field.ts";
import type { Adopted, IdOf, Model } from "../schema/model.ts";
import type { BelongsTo, HasMany, HasOne } from "../schema/relation.ts";

/** The models of a backend by name. */
export type Registry = Readonly<Record<string, { readonly name: string }>>;

type FieldsOf<M> = M extends Model<string, infer F, string> ? F : never;
type NameOf<M> = M extends { readonly name: infer N } ? N : never;
/** Fields that the engine keeps on every model. */
type Kept<M> =
  M extends Model<string, infer F, infer K>
    ? F extends Adopted
      ? unknown
      : (K extends "id"
          ? "id" extends keyof F
            ? unknown
            : { readonly id: Field<string, "default" | "immutable"> }
          : unknown) & {
          readonly version: Field<number, "readOnly">;
        }
    : never;

/** Every inverse that some relation declares, by the model that it is on: worked out once for all models. */
type InverseTable<R extends Registry> = {
  readonly [E in InversesIn<R> as E["on"]]: E;
};
interface Inverse {
  readonly on: string;
  readonly name: string;
  readonly leads: unknown;
}
type InversesIn<R extends Registry> = { [K in keyof R]: InversesFrom<R[K], FieldsOf<R[K]>> }[keyof R];
type InversesFrom<From, F> = {
  [P in keyof F]: F[P] extends BelongsTo<infer T, infer I, infer Fl>
    ? [I] extends [never]
      ? never
      : {
          readonly on: NameOf<T> & string;
          readonly name: I;
          readonly leads: "unique" extends Fl ? { readonly one: From } : { readonly many: From };
        }
    : never;
}[keyof F];
type Inverses<R extends Registry, M> =
  NameOf<M> extends infer N extends keyof InverseTable<R>
    ? { readonly [E in InverseTable<R>[N] & Inverse as E["name"]]: E["leads"] }
    : unknown;
/** Relations by name: { one } or { many } of a model. */
type Relations<R extends Registry, M> = {
  readonly [K in keyof FieldsOf<M> as FieldsOf<M>[K] extends Field<unknown, Flag> ? never : K]: FieldsOf<M>[K] extends BelongsTo<
    infer T,
    string,
    Flag
  >
    ? { readonly one: T }
    : FieldsOf<M>[K] extends HasMany<infer T>
      ? { readonly many: T }
      : FieldsOf<M>[K] extends HasOne<infer T>
        ? { readonly one: T }
        : never;
} & Inverses<R, M>;

/** The wire type of a member that is a field: its own value, or the key that a belongsTo holds. */
type Wire<X> =
  X extends Field<unknown, Flag>
    ? TypeOf<X>
    : X extends BelongsTo<infer T, string, infer Fl>
      ? "optional" extends Fl
        ? IdOf<T> | null
        : IdOf<T>
      : never;
type FlagsOf<X> = X extends Field<unknown, infer Fl> ? Fl : X extends BelongsTo<unknown, string, infer Fl> ? Fl : never;
type Has<X, Fl extends Flag> = Fl extends FlagsOf<X> ? true : false;
type All<M> = FieldsOf<M> & Kept<M>;
type Scalars<M> = {
  [K in keyof All<M>]: All<M>[K] extends Field<unknown, Flag> | BelongsTo<unknown, string, Flag> ? K : never;
}[keyof All<M>];

/** A whole row, as answered when nothing is selected. What the actor may not read is missing at run time. */
export type Row<M> = { readonly [K in Scalars<M> as Has<All<M>[K], "hidden"> extends true ? never : K]: Wire<All<M>[K]> };

interface Common<T> {
  readonly eq?: T | null;
  readonly ne?: T | null;
  readonly in?: readonly NonNullable<T>[];
  readonly nin?: readonly NonNullable<T>[];
  readonly isNull?: boolean;
}
interface Ordered<T> extends Common<T> {
  readonly gt?: NonNullable<T>;
  readonly gte?: NonNullable<T>;
  readonly lt?: NonNullable<T>;
  readonly lte?: NonNullable<T>;
  readonly between?: readonly [NonNullable<T>, NonNullable<T>];
}
interface Textual<T> extends Ordered<T> {
  readonly contains?: string;
  readonly startsWith?: string;
  readonly endsWith?: string;
  readonly like?: string;
  readonly search?: string;
}
interface Listed<E> {
  readonly contains?: E;
  readonly isNull?: boolean;
}
/** Comparisons of a value of type `T`. */
export type Comparison<T> =
  NonNullable<T> extends string
    ? Textual<T>
    : NonNullable<T> extends number
      ? Ordered<T>
      : NonNullable<T> extends boolean
        ? Common<T>
        : NonNullable<T> extends readonly (infer E)[]
          ? Listed<E>
          : Readonly<Record<string, unknown>>;

/** A filter over a model. */
export type Where<R extends Registry, M> = {
  readonly and?: readonly Where<R, M>[];
  readonly or?: readonly Where<R, M>[];
  readonly not?: Where<R, M>;
  readonly search?: string;
} & {
  readonly [K in Scalars<M> as K extends keyof Relations<R, M> ? never : K]?: Wire<All<M>[K]> | Comparison<Wire<All<M>[K]>>;
} & {
  readonly [K in keyof Relations<R, M>]?: Relations<R, M>[K] extends { readonly one: infer T }
    ? (K extends keyof All<M> ? Wire<All<M>[K]> | Comparison<Wire<All<M>[K]>> : never) | Where<R, T>
    : Relations<R, M>[K] extends { readonly many: infer T }
      ? { readonly some?: Where<R, T>; readonly every?: Where<R, T>; readonly none?: Where<R, T> }
      : never;
};

type SortName<R extends Registry, M> =
  | (Scalars<M> & string)
  | {
      [K in keyof Relations<R, M> & string]: Relations<R, M>[K] extends { readonly one: infer T }
        ? `${K}.${Scalars<T> & string}`
        : never;
    }[keyof Relations<R, M> & string];
/** A sort: one term, or several; `-` descends. */
export type OrderBy<R extends Registry, M> =
  | SortName<R, M>
  | `-${SortName<R, M>}`
  | readonly (SortName<R, M> | `-${SortName<R, M>}`)[];

interface Page<R extends Registry, M> {
  readonly $where?: Where<R, M>;
  readonly $orderBy?: OrderBy<R, M>;
  readonly $limit?: number;
}
/** What to answer with. */
export type Select<R extends Registry, M> = { readonly "*"?: true } & {
  readonly [K in Scalars<M> as K extends keyof Relations<R, M> ? never : K]?: true;
} & {
  readonly [K in keyof Relations<R, M>]?: Relations<R, M>[K] extends { readonly one: infer T }
    ? true | Select<R, T>
    : Relations<R, M>[K] extends { readonly many: infer T }
      ? true | (Select<R, T> & Page<R, T>)
      : never;
};
/** `S` itself, or an error at the name that is not there: extra names would pass an ordinary constraint. */
export type Strict<R extends Registry, M, S, Many extends boolean = false> = S & {
  readonly [K in keyof S]: K extends keyof Relations<R, M>
    ? S[K] extends true | undefined
      ? unknown
      : S[K] extends object
        ? Relations<R, M>[K] extends { readonly one: infer T }
          ? Strict<R, T, S[K]>
          : Relations<R, M>[K] extends { readonly many: infer T }
            ? Strict<R, T, S[K], true>
            : never
        : never
    : K extends Scalars<M> | "*"
      ? true | undefined
      : Many extends true
        ? StrictPage<R, M, K, S[K]>
        : never;
};
type StrictPage<R extends Registry, M, K, V> = K extends "$where"
  ? Where<R, M> & StrictWhere<R, M, V>
  : K extends "$orderBy"
    ? OrderBy<R, M>
    : K extends "$limit"
      ? number
      : never;
/** The same for a filter whose type was inferred. */
type StrictWhere<R extends Registry, M, W> = {
  readonly [K in keyof W]: K extends "and" | "or"
    ? { readonly [I in keyof W[K]]: StrictWhere<R, M, W[K][I]> }
    : K extends "not"
      ? StrictWhere<R, M, W[K]>
      : K extends keyof Relations<R, M>
        ? StrictRelated<R, Relations<R, M>[K], W[K]>
        : K extends keyof Where<R, M>
          ? W[K] extends Where<R, M>[K]
            ? unknown
            : never
          : never;
};
type StrictRelated<R extends Registry, To, W> = To extends { readonly many: infer T }
  ? { readonly [Q in keyof W]: Q extends "some" | "every" | "none" ? StrictWhere<R, T, W[Q]> : never }
  : To extends { readonly one: infer T }
    ? W extends object
      ? keyof W extends Operator
        ? unknown
        : StrictWhere<R, T, W>
      : unknown
    : never;

type Picked<S> = Exclude<keyof S, "$where" | "$orderBy" | "$limit">;
type Related<R extends Registry, M, K extends keyof Relations<R, M>, S> = Relations<R, M>[K] extends { readonly one: infer T }
  ? Result<R, T, S> | (K extends Scalars<M> ? (Has<All<M>[K & keyof All<M>], "optional"> extends true ? null : never) : null)
  : Relations<R, M>[K] extends { readonly many: infer T }
    ? readonly Result<R, T, S>[]
    : never;
/** The row that a selection gives. A relation given as `true` is a whole row where it is one or many, and a belongsTo then its key. */
export type Result<R extends Registry, M, S> = [S] extends [undefined | true]
  ? Row<M>
  : [Picked<S>] extends [never]
    ? Row<M>
    : ("*" extends keyof S ? Row<M> : unknown) & {
        readonly [K in Picked<S> as K extends "*" ? never : K]: K extends keyof Relations<R, M>
          ? S[K] extends true
            ? K extends Scalars<M>
              ? Wire<All<M>[K & keyof All<M>]>
              : Related<R, M, K, undefined>
            : Related<R, M, K, S[K]>
          : K extends keyof All<M>
            ? Wire<All<M>[K]>
            : never;
      };

type Given<X> = Has<X, "optional"> extends true ? true : Has<X, "default"> extends true ? true : Has<X, "readOnly">;
type Creatable<M> = {
  [K in Scalars<M>]: Has<All<M>[K], "computed"> extends true ? never : K extends "version" ? never : K;
}[Scalars<M>];
/** What creates a row; owned relations may be nested. */
export type CreateInput<M> = { readonly [K in Creatable<M> as Given<All<M>[K]> extends true ? never : K]: Wire<All<M>[K]> } & {
  readonly [K in Creatable<M> as Given<All<M>[K]> extends true ? K : never]?: Wire<All<M>[K]>;
} & {
  readonly [K in keyof FieldsOf<M> as FieldsOf<M>[K] extends HasMany<unknown> | HasOne<unknown>
    ? FieldsOf<M>[K] extends BelongsTo<unknown, string, Flag> | Field<unknown, Flag>
      ? never
      : K
    : never]?: FieldsOf<M>[K] extends HasMany<infer T>
    ? readonly NestedInput<T>[]
    : FieldsOf<M>[K] extends HasOne<infer T>
      ? NestedInput<T>
      : never;
};
// The key to the parent is filled in, so nothing of a nested row is required by its type.
type NestedInput<T> = { readonly [K in Creatable<T>]?: Wire<All<T>[K]> };
/** What changes the fields of a row; `{ $add }` adds to a number in the database. */
export type ChangeInput<M> = {
  readonly [K in Creatable<M> as Has<All<M>[K], "immutable"> extends true ? never : K]?:
    | Wire<All<M>[K]>
    | (All<M>[K] extends Field<infer T, Flag> ? (T extends number | string ? { readonly $add: T } : never) : never);
};
/** What becomes of rows that a row owns. */
interface OwnedInput<T> {
  readonly create?: readonly NestedInput<T>[];
  readonly update?: readonly (ChangeInput<T> & { readonly id: IdOf<T> })[];
  readonly delete?: readonly IdOf<T>[];
}
/** What changes a row, and the rows that it owns. */
export type UpdateInput<M> = ChangeInput<M> & {
  readonly [K in keyof FieldsOf<M> as FieldsOf<M>[K] extends HasMany<unknown>
    ? FieldsOf<M>[K] extends BelongsTo<unknown, string, Flag> | Field<unknown, Flag>
      ? never
      : K
    : never]?: FieldsOf<M>[K] extends HasMany<infer T> ? OwnedInput<T> : never;
};
