/** Compiles a model's fields: the declared ones, the key, and those the engine keeps. */
import type { Expr } from "./cond.ts";
import type { Problems } from "./errors.ts";
import type { FieldSpec, Flag } from "./field.ts";
import { datetimeType } from "./fields/datetime.ts";
import { decimalPrecisionMax } from "./fields/decimal.ts";
import { isMisfit } from "./fields/field-type.ts";
import { integerType } from "./fields/integer.ts";
import { keyTextMax, textType } from "./fields/text.ts";
import { uuidType } from "./fields/uuid.ts";
import type { ModelSpec } from "./model.ts";
import { nameFault, snakeCase } from "./names.ts";
import type { RelationSpec } from "./relation.ts";
import type { Access, Default, Field, FieldParams, GenerateContext, Index, Model, Relation } from "./schema.ts";

/** A model while it is compiled. */
export interface Draft extends Model {
  readonly spec: ModelSpec;
  readonly fields: Map<string, Field>;
  readonly relations: Map<string, Relation>;
  key: readonly Field[];
  version: Field | null;
  indexes: readonly Index[];
  search: readonly Field[];
  access: Access;
  expressions?: Map<string, (context: { row: unknown }) => Expr>;
}

/** Fills `draft.fields` (foreign keys get their type later, from the key they point to) and `draft.key`. */
export function compileFields(draft: Draft, problems: Problems): void {
  const { spec, name: model } = draft;
  const ownKey = spec.key ?? (spec.readOnly ? [] : "id" in spec.members ? ["id"] : null);
  const engine = (name: string, change: Partial<Field>) => draft.fields.set(name, { ...engineField(model, name), ...change });
  if (spec.adopted) checkAdopted(draft, ownKey, problems);
  if (!ownKey && !spec.adopted)
    engine("id", { type: uuidType, default: { from: "id" }, immutable: true, readOnly: false, role: "id" });
  for (const [name, member] of Object.entries(spec.members)) {
    const place = `${model}.${name}`;
    const fault = nameFault(name, "field");
    if (fault) problems.add(place, fault, "Rename the field.");
    const declared = (member as { readonly spec?: FieldSpec | RelationSpec } | null)?.spec;
    if (!declared)
      problems.add(place, "this is not a field or relation.", "Declare it with text(), integer(), belongsTo() and so on.");
    else if (declared.kind === "field") draft.fields.set(name, compileField({ draft, name, spec: declared, problems }));
    else if (declared.kind === "belongsTo") draft.fields.set(name, foreignKey(model, name, declared));
  }
  if (draft.timestamps) {
    engine("createdAt", { type: datetimeType, default: { from: "now" }, role: "createdAt" });
    engine("updatedAt", { type: datetimeType, default: { from: "now" }, role: "updatedAt" });
  }
  if (draft.softDelete) engine("deletedAt", { type: datetimeType, optional: true, role: "deletedAt" });
  if (!spec.adopted) {
    engine("version", { type: integerType, default: { from: "value", value: 1 }, role: "version" });
    draft.version = draft.fields.get("version") as Field;
  }
  for (const name of [
    ...(spec.adopted ? [] : ["version"]),
    ...(draft.timestamps ? ["createdAt", "updatedAt"] : []),
    ...(draft.softDelete ? ["deletedAt"] : []),
  ]) {
    if (name in spec.members)
      problems.add(`${model}.${name}`, "the engine keeps a field of this name.", "Remove it or rename it.");
  }
  compileKey(draft, ownKey ?? (spec.adopted ? [] : ["id"]), problems);
}

// The engine keeps nothing in a table that is somebody else's.
function checkAdopted({ name, spec }: Draft, ownKey: readonly string[] | null, problems: Problems): void {
  if (ownKey === null)
    problems.add(name, "an adopted table needs its key.", 'Name it with .key("…"), or say .view() to read it without one.');
  const kept = [
    spec.timestamps && "timestamps()",
    spec.softDelete && "softDelete()",
    spec.requireVersion && "requireVersion()",
  ].filter((one) => one !== false);
  if (spec.takenOver && spec.readOnly) problems.add(name, "a view cannot be taken over.", "Remove .takenOver() or .view().");
  for (const call of kept) problems.add(name, `an adopted table has no ${call}.`, "Declare its own columns as fields.");
}

function compileKey(draft: Draft, names: readonly string[], problems: Problems): void {
  const key: Field[] = [];
  for (const name of names) {
    const field = draft.fields.get(name);
    if (!field) {
      problems.add(`${draft.name}.key`, `there is no field ${JSON.stringify(name)}.`, "Name fields of the model.");
      continue;
    }
    if (field.optional || field.column === "" || !field.type.ordered || field.hidden) {
      problems.add(
        `${draft.name}.key`,
        `${name} cannot be part of a key.`,
        "A key's fields are stored, visible, ordered and not optional.",
      );
    }
    const params = field.type === textType ? { max: keyTextMax, ...field.params } : field.params;
    const keyed: Field = { ...field, params, immutable: true, role: names.length === 1 ? "id" : field.role };
    draft.fields.set(name, keyed);
    key.push(keyed);
  }
  draft.key = key;
}

/** Tells of columns that two fields claim; once the relations have theirs. */
export function checkColumns(draft: Draft, problems: Problems): void {
  const columns = new Map<string, string>();
  for (const field of draft.fields.values()) {
    if (field.column === "") continue;
    const place = draft.adopted ? field.column : field.column.toLowerCase();
    const other = columns.get(place);
    if (other !== undefined)
      problems.add(
        `${draft.name}.${field.name}`,
        `its column ${field.column} is also that of ${other}.`,
        "Give one of them another column().",
      );
    columns.set(place, field.name);
  }
}

/** A field that no caller writes, before it is said what it is. */
export function engineField(model: string, name: string): Field {
  return {
    name,
    model,
    column: snakeCase(name),
    native: null,
    parts: null,
    partOf: null,
    was: [],
    type: integerType,
    params: {},
    optional: false,
    unique: false,
    default: null,
    readOnly: true,
    writeOnce: false,
    immutable: false,
    hidden: false,
    computed: null,
    relation: null,
    role: null,
  };
}

interface FieldContext {
  readonly draft: Draft;
  readonly name: string;
  readonly spec: FieldSpec;
  readonly problems: Problems;
}

function compileField({ draft, name, spec, problems }: FieldContext): Field {
  const place = `${draft.name}.${name}`;
  const params = compileParams(spec, place, problems);
  const has = (flag: Flag) => spec.flags.has(flag);
  if (spec.expression) (draft.expressions ??= new Map()).set(name, spec.expression);
  return {
    name,
    model: draft.name,
    parts: null,
    partOf: null,
    was: spec.was,
    type: spec.type,
    params,
    unique: spec.unique,
    relation: null,
    role: null,
    computed: null,
    column: spec.expression ? "" : (spec.column ?? snakeCase(name)),
    native: spec.native,
    optional: has("optional") || spec.expression !== null,
    default: params.serial ? null : compileDefault(spec, params, { place, problems }),
    readOnly: has("readOnly") || spec.expression !== null,
    writeOnce: has("writeOnce"),
    immutable: has("immutable"),
    hidden: has("hidden"),
  };
}

/** Checks what a type was given, nested types included. */
export function compileParams(spec: FieldSpec, place: string, problems: Problems): FieldParams {
  const { item, shape, ...rest } = spec.params;
  const { precision, scale, choices } = rest;
  if (precision !== undefined && !(Number.isInteger(precision) && precision >= 1 && precision <= decimalPrecisionMax)) {
    problems.add(place, `a decimal cannot have ${precision} digits.`, `Give it 1 to ${decimalPrecisionMax}.`);
  }
  if (scale !== undefined && !(Number.isInteger(scale) && scale >= 0 && scale <= (precision ?? 0))) {
    problems.add(place, `a decimal of ${precision} digits cannot have ${scale} after the point.`, `Give it 0 to ${precision}.`);
  }
  if (choices && (choices.length === 0 || new Set(choices).size !== choices.length))
    problems.add(place, "a choice needs different texts.", "List each once.");
  if (rest.pattern && spec.type.storage !== "text")
    problems.add(place, `${spec.type.name} has no pattern.`, "Only texts have one.");
  return {
    ...rest,
    item: item ? { type: item.type, params: compileParams(item, `${place}[]`, problems) } : undefined,
    shape: shape
      ? new Map(
          Object.entries(shape).map(([name, inner]) => [
            name,
            {
              type: inner.type,
              params: compileParams(inner, `${place}.${name}`, problems),
              optional: inner.flags.has("optional") || inner.flags.has("default"),
            },
          ]),
        )
      : undefined,
  };
}

function compileDefault(
  spec: Pick<FieldSpec, "default" | "type">,
  params: FieldParams,
  { place, problems }: { place: string; problems: Problems },
): Default | null {
  const given = spec.default;
  if (given === undefined) return null;
  if (typeof given === "object" && given !== null && "ref" in given) {
    if (given.ref === "now" && spec.type.name === "datetime") return { from: "now" };
    if (given.ref === "me") return { from: "me" };
    if (given.ref === "database") return { from: "database" };
    if (given.ref === "generated")
      return { from: "generated", make: (given as unknown as { make: (context: GenerateContext) => unknown }).make };
    problems.add(place, `${spec.type.name} has no such default.`, "now is for datetimes.");
    return null;
  }
  const value = spec.type.parse(given, params);
  if (!isMisfit(value)) return { from: "value", value };
  problems.add(place, `its default ${JSON.stringify(given)} ${value.misfit}.`, "Give a default that fits the field.");
  return null;
}

// The type is that of the key it points to, which compile-keys.ts fills in; where that has several columns, so has this.
function foreignKey(model: string, name: string, spec: RelationSpec): Field {
  const has = (flag: Flag) => spec.flags.has(flag);
  const given = spec.default as { readonly ref?: string } | string | number | undefined;
  const value: Default | null =
    given === undefined ? null : typeof given === "object" ? { from: "me" } : { from: "value", value: given };
  return {
    name,
    model,
    was: spec.was,
    column: spec.columns[0] ?? `${snakeCase(name)}_id`,
    native: spec.natives[0] ?? null,
    parts: null,
    partOf: null,
    type: uuidType,
    params: {},
    unique: spec.unique,
    default: value,
    optional: has("optional"),
    readOnly: has("readOnly"),
    writeOnce: has("writeOnce"),
    immutable: has("immutable"),
    hidden: has("hidden"),
    computed: null,
    relation: null,
    role: null,
  };
}
