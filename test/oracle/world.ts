/** The oracle's own description of a backend and its rows: plain data that knows nothing of the engine. */

export type Kind =
  | "text"
  | "integer"
  | "bigint"
  | "float"
  | "decimal"
  | "boolean"
  | "datetime"
  | "date"
  | "time"
  | "uuid"
  | "choice"
  | "json"
  | "bytes"
  | "list"
  | "email"
  | "url"
  | "slug";

export interface FieldDef {
  readonly name: string;
  readonly kind: Kind;
  /** Decimals: digits in all, and after the point. */
  readonly precision?: number;
  readonly scale?: number;
  readonly choices?: readonly string[];
  /** Lists: what they hold. */
  readonly item?: FieldDef;
  /** Documents: their declared fields; without them any JSON. */
  readonly shape?: readonly FieldDef[];
  readonly optional: boolean;
  readonly hidden: boolean;
  readonly unique: boolean;
  readonly computed: Expression | null;
  /** The model whose key this field holds. */
  readonly target: string | null;
  /** Who fills it in: the caller, the database's counter, or the engine. */
  readonly filled: "caller" | "serial" | "engine";
  /** Values stay small, so that sums of them are exact in a double. */
  readonly small: boolean;
  /** What holds of writes to it. */
  readonly write?: WriteDef;
}

export interface WriteDef {
  readonly guard?: "immutable" | "writeOnce" | "readOnly";
  /** Of a number, as on the wire. */
  readonly bounds?: readonly [min: number, max: number];
  /** Of the key of another model: what becomes of this row when that one goes. */
  readonly onDelete?: "restrict" | "cascade" | "setNull";
}

export type Expression =
  | { readonly field: string }
  | { readonly value: string | number }
  | {
      readonly call: "add" | "sub" | "mul" | "concat" | "coalesce" | "lower" | "upper" | "length";
      readonly args: readonly Expression[];
    };

export interface RelationDef {
  readonly name: string;
  readonly to: string;
  readonly many: boolean;
  /** `own`: a field here holds their key; `theirs`: a field there holds ours; `join`: a model between holds both. */
  readonly via:
    | { readonly is: "own"; readonly field: string }
    | { readonly is: "theirs"; readonly field: string; readonly declared: "inverse" | "has" }
    | { readonly is: "join"; readonly model: string; readonly from: string; readonly to: string };
}

export interface ModelDef {
  readonly name: string;
  readonly key: readonly string[];
  readonly fields: readonly FieldDef[];
  readonly relations: readonly RelationDef[];
  readonly softDelete: boolean;
  readonly timestamps: boolean;
  readonly search: readonly string[];
  readonly rules: Rules;
}

export interface Rules {
  readonly read: Rule;
  readonly create: Rule;
  readonly update: Rule;
  readonly delete: Rule;
  /** Read rules of fields. */
  readonly fields: Readonly<Record<string, Rule>>;
}

export type Operand =
  | { readonly value: unknown }
  | { readonly me: string }
  | { readonly now: true }
  | { readonly field: string; readonly outer: boolean }
  /** All that a list of the row has, for `in` and `nin` alone. */
  | { readonly elements: string };

export type Rule =
  | { readonly is: "everyone" }
  | { readonly is: "nobody" }
  | { readonly is: "signedIn" }
  | { readonly is: "role"; readonly role: string }
  | { readonly is: "and" | "or"; readonly of: readonly Rule[] }
  | { readonly is: "not"; readonly of: Rule }
  /** To-one relations, then the field, then names inside a document. */
  | { readonly is: "compare"; readonly path: readonly string[]; readonly operator: string; readonly right: readonly Operand[] }
  | { readonly is: "some" | "every" | "none"; readonly path: readonly string[]; readonly of: Rule };

/** A row by field; values as they are on the wire. */
export type Row = Readonly<Record<string, unknown>>;

export interface Viewer {
  readonly id: string | null;
  readonly signedIn: boolean;
  readonly roles: readonly string[];
  readonly claims: Readonly<Record<string, string | null>>;
}

export interface World {
  readonly models: ReadonlyMap<string, ModelDef>;
  readonly rows: ReadonlyMap<string, readonly Row[]>;
  /** The instant at which every query is asked. */
  readonly now: string;
}

export function modelOf(world: Pick<World, "models">, name: string): ModelDef {
  const model = world.models.get(name);
  if (!model) throw new Error(`no model ${name}`);
  return model;
}

export function fieldOf(model: ModelDef, name: string): FieldDef | undefined {
  return model.fields.find((field) => field.name === name);
}

export function relationOf(model: ModelDef, name: string): RelationDef | undefined {
  return model.relations.find((relation) => relation.name === name);
}
