/** Declares models: fields, key, access rules, indexes and the rest that stands next to them. */
import type { Cond, Expr } from "./cond.ts";
import { type Field, type Flag, toComputed, type TypeOf } from "./field.ts";
import type { BelongsTo, HasMany, HasOne } from "./relation.ts";
import type { MeTerms, RowOf, Term } from "./rule.ts";

/** Fields and relations by name. */
export type Members = Readonly<
  Record<string, Field<unknown, Flag> | BelongsTo<unknown, string, Flag> | HasOne<unknown> | HasMany<unknown>>
>;

/** What a rule may speak of. */
export interface RuleContext<F> {
  /** The row as it is; in a create, as it will be. */
  readonly row: RowOf<Model<string, F, "id">>;
  readonly me: MeTerms;
  /** In create and update: the row as the write leaves it. */
  readonly input: {
    readonly [P in keyof F as F[P] extends HasOne<unknown> | HasMany<unknown> ? never : P]: F[P] extends BelongsTo<
      infer M,
      string,
      Flag
    >
      ? Term<IdOf<M>>
      : Term<TypeOf<F[P]>>;
  };
}

/** What an expression or an index's condition may speak of. */
export interface RowContext<F> {
  readonly row: RowOf<Model<string, F, "id">>;
}

/** Rules of one field, beside those of its model. */
export interface FieldRules {
  readonly read?: Cond;
  readonly create?: Cond;
  readonly update?: Cond;
  /** Both create and update. */
  readonly write?: Cond;
}

/** Who may do what. What is left out is denied. */
export interface AccessRules<F> {
  readonly read?: Cond;
  readonly create?: Cond;
  readonly update?: Cond;
  readonly delete?: Cond;
  /** Create, update and delete, where they do not say themselves. */
  readonly write?: Cond;
  readonly fields?: { readonly [P in keyof F]?: FieldRules };
}

/** What an index is, beyond its fields. */
export interface IndexOptions<F> {
  /** @default false */
  readonly unique?: boolean;
  /** A partial index: only rows that satisfy it, over own fields and constants. @default all rows */
  readonly where?: (context: RowContext<F>) => Cond;
}

export interface ModelSpec {
  readonly members: Members;
  readonly computed: readonly string[];
  readonly key: readonly string[] | null;
  readonly access: ((context: never) => AccessRules<unknown>) | null;
  readonly indexes: readonly {
    readonly fields: readonly string[];
    readonly unique: boolean;
    readonly where: ((context: { row: unknown }) => Cond) | null;
  }[];
  readonly softDelete: boolean;
  readonly timestamps: boolean;
  readonly search: readonly string[];
  readonly was: readonly string[];
  readonly table: string | null;
  readonly schema: string | null;
  readonly pageSize: number | null;
  readonly pageSizeMax: number | null;
  readonly requireVersion: boolean;
  readonly adopted: boolean;
  readonly takenOver: boolean;
  readonly readOnly: boolean;
  readonly without: readonly string[];
}

declare const adopted: unique symbol;
/** What marks the members of a model that keeps no version. */
export interface Adopted {
  readonly [adopted]: true;
}

interface Stamps {
  readonly createdAt: Field<string, "readOnly" | "default">;
  readonly updatedAt: Field<string, "readOnly" | "default">;
}
interface Trash {
  readonly deletedAt: Field<string, "readOnly" | "default" | "optional">;
}
type Names<F> = keyof F & string;
type Sorted<F> = Names<F> | `-${Names<F>}`;

/** A computed field that still lacks its expression. A step of its own, since a generic call with a function would look at all getters. */
export interface Computing<N extends string, F, K extends string, Before> {
  /** The expression, over stored fields of the own row. */
  from(expression: (context: RowContext<Before>) => Expr): Model<N, F, K>;
}

/** A model: `N` its name, `F` its members, `K` its key's name (or `composite`). Each method returns a new model. */
export interface Model<N extends string, F, K extends string = "id"> {
  readonly name: N;
  readonly fields: F;
  readonly spec: ModelSpec;
  readonly keyName?: K;
  /**
   * The access rules; without a call everything is denied. Say it last where the rules of two models each go through a relation
   * to the other: TypeScript then need not look into them to know the model's type.
   */
  access(rules: (context: RuleContext<F>) => AccessRules<F>): Model<N, F, K>;
  /** An index over fields, in order; `-field` descends. */
  index(...fields: Sorted<F>[]): Model<N, F, K>;
  indexed(fields: readonly Sorted<F>[], options: IndexOptions<F>): Model<N, F, K>;
  /** The fields together are unique. */
  unique(...fields: Names<F>[]): Model<N, F, K>;
  /** A natural key of one field, or a composite one, instead of a generated id. */
  key<const A extends Names<F>>(field: A): Model<N, F, A>;
  key<const A extends Names<F>>(...fields: A[]): Model<N, F, "composite">;
  /** A field that the database computes from others of its row: `.computed("margin", decimal(8, 2)).from(({ row }) => …)`. */
  computed<const A extends string, T>(
    name: A,
    field: Field<T, Flag>,
  ): Computing<N, F & { readonly [P in A]: Field<T, "computed"> }, K, F>;
  /** Adds createdAt and updatedAt. */
  timestamps(): Model<N, F & Stamps, K>;
  /** Deleting puts the row into the trash, from where it can be restored. Adds deletedAt. */
  softDelete(): Model<N, F & Trash, K>;
  /** Text fields that a search over the model looks through. */
  search(...fields: Names<F>[]): Model<N, F, K>;
  /** Rows on a page. @default 20, at most 100 */
  pages(options: { readonly size?: number; readonly max?: number }): Model<N, F, K>;
  /** Writes to one row must say which version they change (If-Match). */
  requireVersion(): Model<N, F, K>;
  /** The name it had before, so that the migration renames it. */
  was(name: string): Model<N, F, K>;
  /** The table's name, where it is not the model's name in snake_case. */
  table(name: string): Model<N, F, K>;
  /** The schema of PostgreSQL in which an adopted table stands, where it is not the current one (the first of the `search_path`). */
  schema(name: string): Model<N, F, K>;
  /**
   * The table is there already and stays as it is: it gets no version, so there is no If-Match, and migrations leave it alone.
   * Say which fields are its key; fields that the engine would keep (`timestamps`, `softDelete`) are not to be had.
   */
  adopted(): Model<N, F & Adopted, K>;
  /**
   * In the place of `adopted()`: the next migration takes the table over as it is, and from then on migrations change it as they do
   * tables of the product's own making. It keeps no version.
   */
  takenOver(): Model<N, F & Adopted, K>;
  /** An adopted view, or a table without a key: read only. Without `.key()` its rows are listed and counted, and have no address. */
  view(): Model<N, F & Adopted, "composite">;
  /** Columns of an adopted table that no field stands for, and that `holdfast adopt --check` does not ask after. */
  without(...columns: string[]): Model<N, F, K>;
}

/** The type of the key that relations to a model hold. */
export type IdOf<M> =
  M extends Model<string, infer F, infer K> ? (K extends keyof F ? NonNullable<TypeOf<F[K]>> : string) : never;

// `any`, and not the members' type: TypeScript then leaves the getters alone while it infers, and two models may refer to each other.
// oxlint-disable-next-line typescript/no-explicit-any
type AnyMembers = Record<string, any>;

/**
 * Declares a model by its plural name. Models that refer to each other put the reference behind a getter,
 * `get best() { return belongsTo(() => films) }`, and call `.access()` last where their rules walk to each other.
 */
export function model<const N extends string, F extends AnyMembers>(name: N, fields: F): Model<N, F> {
  return createModel(name, {
    members: fields as Members,
    computed: [],
    key: null,
    access: null,
    indexes: [],
    softDelete: false,
    timestamps: false,
    search: [],
    was: [],
    table: null,
    schema: null,
    pageSize: null,
    pageSizeMax: null,
    requireVersion: false,
    adopted: false,
    takenOver: false,
    readOnly: false,
    without: [],
  }) as unknown as Model<N, F>;
}

function createModel(name: string, spec: ModelSpec): unknown {
  const changed = (change: Partial<ModelSpec>) => createModel(name, { ...spec, ...change });
  const indexed = (fields: readonly string[], options: { unique?: boolean; where?: (context: { row: unknown }) => Cond }) =>
    changed({ indexes: [...spec.indexes, { fields, unique: options.unique ?? false, where: options.where ?? null }] });
  return Object.freeze({
    name,
    // Members are read when they are needed: a getter may refer to a model that is declared further down.
    get fields() {
      return spec.members;
    },
    spec: Object.freeze(spec),
    access: (access: ModelSpec["access"]) => changed({ access }),
    index: (...fields: string[]) => indexed(fields, {}),
    indexed,
    unique: (...fields: string[]) => indexed(fields, { unique: true }),
    key: (...key: string[]) => changed({ key }),
    computed: (computed: string, field: Field<unknown, Flag>) => ({
      from: (expression: (context: { row: unknown }) => Expr) =>
        changed({
          members: extend(spec.members, computed, toComputed(field, expression)),
          computed: [...spec.computed, computed],
        }),
    }),
    timestamps: () => changed({ timestamps: true }),
    softDelete: () => changed({ softDelete: true }),
    search: (...search: string[]) => changed({ search }),
    pages: (pages: { size?: number; max?: number }) => changed({ pageSize: pages.size ?? null, pageSizeMax: pages.max ?? null }),
    requireVersion: () => changed({ requireVersion: true }),
    was: (was: string) => changed({ was: [...spec.was, was] }),
    table: (table: string) => changed({ table }),
    schema: (schema: string) => changed({ schema }),
    adopted: () => changed({ adopted: true, takenOver: false }),
    takenOver: () => changed({ adopted: true, takenOver: true }),
    view: () => changed({ adopted: true, readOnly: true }),
    without: (...without: string[]) => changed({ without }),
  });
}

// Copies property descriptors rather than values: getters must not run before all models are declared.
function extend(members: Members, name: string, member: Members[string]): Members {
  const extended = Object.defineProperties({}, Object.getOwnPropertyDescriptors(members)) as Record<string, Members[string]>;
  extended[name] = member;
  return extended;
}
