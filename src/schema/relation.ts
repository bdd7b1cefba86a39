/** Declares relations between models. The other model stands behind a function, so that two may refer to each other. */
import type { Flag } from "./field.ts";
import type { OnDelete } from "./schema.ts";

declare const carries: unique symbol;

/** A model as relations see it; the name keeps the types of two models apart. */
export interface AnyModel {
  readonly name: string;
}

export interface RelationSpec {
  readonly kind: "belongsTo" | "hasOne" | "hasMany" | "manyToMany";
  readonly target: () => AnyModel;
  readonly inverse: string | null;
  readonly by: string | null;
  readonly through: { readonly model: () => AnyModel; readonly from: string; readonly to: string } | null;
  readonly owned: boolean;
  readonly onDelete: OnDelete | null;
  readonly flags: ReadonlySet<Flag>;
  readonly unique: boolean;
  readonly default: unknown;
  readonly was: readonly string[];
  /** Empty for the default. */
  readonly columns: readonly string[];
  /** Their types as the database spells them; null for that of the key's own column. */
  readonly natives: readonly (string | null)[];
}

/** This row holds the key of one row of `M`; on the wire, that key. */
export interface BelongsTo<M, Inverse extends string = never, F extends Flag = never> {
  readonly [carries]?: { readonly to: M; readonly inverse: Inverse; readonly flags: F; readonly is: "belongsTo" };
  readonly spec: RelationSpec;
  optional(): BelongsTo<M, Inverse, F | "optional">;
  /** One to one: no two rows hold the same key; the inverse leads to one row. */
  unique(): BelongsTo<M, Inverse, F | "unique">;
  /** `me`: the row belongs to who creates it. */
  default(value: { readonly ref: "me" } | string | number): BelongsTo<M, Inverse, F | "default">;
  readOnly(): BelongsTo<M, Inverse, F | "readOnly">;
  writeOnce(): BelongsTo<M, Inverse, F | "writeOnce">;
  immutable(): BelongsTo<M, Inverse, F | "immutable">;
  hidden(): BelongsTo<M, Inverse, F | "hidden">;
  was(name: string): BelongsTo<M, Inverse, F>;
  /**
   * The column of the key, or one for each part of a composite key, in that key's order. A part may share the column of a field
   * that never changes, such as a tenant's. In an adopted table a column is of the type of the key's own, unless its type is
   * given with it: `.column(["AlbumId", "BIGINT"])`.
   */
  column(...columns: (string | readonly [name: string, native: string])[]): BelongsTo<M, Inverse, F>;
}
/** One row of `M` holds our key. */
export interface HasOne<M> {
  readonly [carries]?: { readonly to: M; readonly is: "hasOne" };
  readonly spec: RelationSpec;
}
/** Rows of `M` hold our key, or are reached through a join model. */
export interface HasMany<M> {
  readonly [carries]?: { readonly to: M; readonly is: "hasMany" };
  readonly spec: RelationSpec;
}

/** What a belongsTo is, beyond its target. */
export interface BelongsToOptions<I extends string> {
  /** The name under which the other model reaches its rows of this one, in queries. @default none */
  readonly inverse?: I;
  /** What becomes of this row when the other goes. @default "restrict" */
  readonly onDelete?: OnDelete;
}

/** Declares that a row of this model holds the key of one of another. */
export function belongsTo<M, const I extends string = never>(
  target: () => M,
  options: BelongsToOptions<I> = {},
): BelongsTo<M, I> {
  return createBelongsTo({
    ...blank,
    kind: "belongsTo",
    target: target as () => AnyModel,
    inverse: options.inverse ?? null,
    onDelete: options.onDelete ?? null,
  });
}

/** What the other side of a belongsTo is. */
export interface HasOptions {
  /** The belongsTo on the other model that leads here. */
  readonly by: string;
  /** The other rows live and die with this one, and may be written together with it. @default false */
  readonly owned?: boolean;
}

/** Declares the other side of a unique belongsTo. */
export function hasOne<M>(target: () => M, options: HasOptions): HasOne<M> {
  return { spec: { ...blank, kind: "hasOne", target: target as () => AnyModel, by: options.by, owned: options.owned ?? false } };
}

/** Declares the other side of a belongsTo. */
export function hasMany<M>(target: () => M, options: HasOptions): HasMany<M> {
  return { spec: { ...blank, kind: "hasMany", target: target as () => AnyModel, by: options.by, owned: options.owned ?? false } };
}

/** How a join model links two models. */
export interface ThroughOptions {
  /** The join model: an ordinary model with its own fields and rules. */
  readonly through: () => unknown;
  /** The belongsTo on the join model that leads here. */
  readonly from: string;
  /** The belongsTo on the join model that leads to the target. */
  readonly to: string;
}

/** Declares rows of another model that a join model links to this one. Linking is writing the join model. */
export function manyToMany<M>(target: () => M, options: ThroughOptions): HasMany<M> {
  const through = { model: options.through as () => AnyModel, from: options.from, to: options.to };
  return { spec: { ...blank, kind: "manyToMany", target: target as () => AnyModel, through } };
}

const blank: Omit<RelationSpec, "kind" | "target"> = Object.freeze({
  inverse: null,
  by: null,
  through: null,
  owned: false,
  onDelete: null,
  flags: new Set<Flag>(),
  unique: false,
  default: undefined,
  was: [],
  columns: [],
  natives: [],
});

function createBelongsTo<M, I extends string, F extends Flag>(spec: RelationSpec): BelongsTo<M, I, F> {
  const flagged = (flag: Flag) => createBelongsTo({ ...spec, flags: new Set([...spec.flags, flag]) });
  const relation = {
    spec: Object.freeze(spec),
    optional: () => flagged("optional"),
    unique: () => createBelongsTo({ ...spec, unique: true }),
    default: (value: unknown) => createBelongsTo({ ...spec, default: value, flags: new Set<Flag>([...spec.flags, "default"]) }),
    readOnly: () => flagged("readOnly"),
    writeOnce: () => flagged("writeOnce"),
    immutable: () => flagged("immutable"),
    hidden: () => flagged("hidden"),
    was: (name: string) => createBelongsTo({ ...spec, was: [...spec.was, name] }),
    column: (...columns: (string | readonly [string, string])[]) =>
      createBelongsTo({
        ...spec,
        columns: columns.map((column) => (typeof column === "string" ? column : column[0])),
        natives: columns.map((column) => (typeof column === "string" ? null : column[1])),
      }),
  };
  return Object.freeze(relation) as unknown as BelongsTo<M, I, F>;
}
