/** The compiled schema: frozen data with every name resolved, which all higher floors read. */
import type { Value } from "./value.ts";
import type { FieldType } from "./fields/field-type.ts";
import type { Expression, Filter } from "./filter.ts";
import { schemasOf } from "./table-name.ts";

export interface Schema {
  readonly models: ReadonlyMap<string, Model>;
  /** Roles that some rule asks for, in a stable order: the actor's facts are one bit each, after `signedIn`. */
  readonly roles: readonly string[];
}

/** Whether some of its tables are somebody else's. */
function hasAdopted({ models }: Schema): boolean {
  return [...models.values()].some(({ adopted }) => adopted);
}

/** Whether some of its tables must be there already, for no migration makes them. */
function needsTables({ models }: Schema): boolean {
  return [...models.values()].some((model) => !isMigrated(model));
}

/** Whether migrations make and change its table. */
export function isMigrated({ adopted, takenOver }: Pick<Model, "adopted" | "takenOver">): boolean {
  return !adopted || takenOver;
}

/** Whose tables a schema works with, as the opening of a database asks. */
export function adoptionOf(schema: Schema): {
  readonly isAdopted: boolean;
  readonly needsTables: boolean;
  readonly schemas: readonly string[];
} {
  const tables = [...schema.models.values()].map(({ table }) => table);
  return { isAdopted: hasAdopted(schema), needsTables: needsTables(schema), schemas: schemasOf(tables) };
}

export interface Model {
  /** The plural name, as on the wire: `/api/films`. */
  readonly name: string;
  /** In a schema other than the current one, both names together: see `table-name.ts`. */
  readonly table: string;
  /** Earlier names, so that the migration is a rename. */
  readonly was: readonly string[];
  /** Primary key, in order; one field named `id` unless the model says otherwise. */
  readonly key: readonly Field[];
  /** Stored and computed fields in declared order, the foreign keys of belongsTo included (under the relation's name). */
  readonly fields: ReadonlyMap<string, Field>;
  /** Declared relations and inverses. */
  readonly relations: ReadonlyMap<string, Relation>;
  readonly indexes: readonly Index[];
  readonly access: Access;
  readonly softDelete: boolean;
  readonly timestamps: boolean;
  /** Fields that `search` on the model looks through. */
  readonly search: readonly Field[];
  readonly limits: ModelLimits;
  /** A write to one row must carry If-Match (428 otherwise). */
  readonly requireVersion: boolean;
  /** Somebody else made the table: it keeps no version, and migrations leave it alone unless it is taken over. */
  readonly adopted: boolean;
  /** It was adopted, and migrations change it from now on. */
  readonly takenOver: boolean;
  /** Columns of an adopted table that no field stands for. */
  readonly without: readonly string[];
  /** A view, or a table without a key: it has no writes, and without a key no single rows. */
  readonly readOnly: boolean;
  /** Where the engine counts a row's changes; null where the table is adopted. */
  readonly version: Field | null;
}

export interface ModelLimits {
  /** Rows a page holds unless the call says. */
  readonly pageSize: number;
  /** Rows a page may hold. */
  readonly pageSizeMax: number;
}

export interface Field {
  readonly name: string;
  readonly model: string;
  /** The column that holds it; empty for a computed field, and for a belongsTo whose key has several columns. */
  readonly column: string;
  /** The column's type as its database spells it, where the column is not of the product's own making. */
  readonly native: string | null;
  /** The stored fields that hold the parts of a belongsTo's composite key, in that key's order; null for every other field. */
  readonly parts: readonly Field[] | null;
  /** The belongsTo that it holds a part of: such a field has no name on the wire. */
  readonly partOf: string | null;
  readonly was: readonly string[];
  readonly type: FieldType;
  /** What the type was given: scale, choices, item type, document schema. */
  readonly params: FieldParams;
  readonly optional: boolean;
  readonly unique: boolean;
  readonly default: Default | null;
  readonly readOnly: boolean;
  readonly writeOnce: boolean;
  readonly immutable: boolean;
  readonly hidden: boolean;
  readonly computed: Expression | null;
  /** Set where the field is the foreign key of a belongsTo of the same name. */
  readonly relation: Relation | null;
  /** `id` made by the product or the database; `version` and timestamps are kept by the engine. */
  readonly role: "id" | "version" | "createdAt" | "updatedAt" | "deletedAt" | null;
}

export interface FieldParams {
  readonly min?: number | string | undefined;
  readonly max?: number | string | undefined;
  readonly pattern?: RegExp | undefined;
  readonly precision?: number | undefined;
  readonly scale?: number | undefined;
  readonly choices?: readonly string[] | undefined;
  readonly item?: { readonly type: FieldType; readonly params: FieldParams } | undefined;
  /** Named fields of a document; without it any JSON. */
  readonly shape?: ReadonlyMap<string, DocumentField> | undefined;
  /** The number the database gives on insert. */
  readonly serial?: boolean | undefined;
}

export interface DocumentField {
  readonly type: FieldType;
  readonly params: FieldParams;
  readonly optional: boolean;
}

export type Default =
  | { readonly from: "value"; readonly value: Value }
  | { readonly from: "now" }
  | { readonly from: "me" }
  | { readonly from: "id" }
  /** The database gives it: what is not given is not inserted. */
  | { readonly from: "database" }
  | { readonly from: "generated"; readonly make: (context: GenerateContext) => unknown };

/** What a generated default may look at. `input` is what the caller sent, already checked. */
export interface GenerateContext {
  readonly input: Readonly<Record<string, unknown>>;
  readonly nowMs: number;
  readonly newId: () => string;
}

/** What becomes of a row when the one it belongs to goes: it forbids that, goes along, or forgets it. */
export type OnDelete = "restrict" | "cascade" | "setNull";

export interface Relation {
  readonly name: string;
  readonly model: string;
  readonly kind: "one" | "many";
  /** `belongsTo` holds the key; `has` is the other side of one; `through` goes over a join model. */
  readonly via: "belongsTo" | "has" | "through";
  readonly target: string;
  /** Pairs of columns that must be equal; empty for `through`. */
  readonly on: readonly { readonly local: string; readonly foreign: string }[];
  /** For `through`: join model and the two relations on it, towards us and towards the target. */
  readonly through: { readonly model: string; readonly toLocal: string; readonly toTarget: string } | null;
  /** The belongsTo field on the target that a `has` is the other side of. */
  readonly inverseOf: string | null;
  readonly optional: boolean;
  /** The target lives and dies with us: nested writes are allowed. */
  readonly owned: boolean;
  readonly onDelete: OnDelete;
}

export interface Index {
  readonly name: string;
  readonly columns: readonly { readonly column: string; readonly descending: boolean }[];
  readonly unique: boolean;
  /** Partial: only rows that satisfy it; over own fields and constants. */
  readonly where: Filter | null;
}

export type Action = "read" | "create" | "update" | "delete";

/** What is not here is denied. */
export interface Access {
  readonly read: Filter;
  readonly create: Filter;
  readonly update: Filter;
  readonly delete: Filter;
  /** Further conditions on single fields; a field not listed follows its model. */
  readonly fields: ReadonlyMap<string, FieldAccess>;
}

export interface FieldAccess {
  readonly read: Filter | null;
  readonly create: Filter | null;
  readonly update: Filter | null;
}
