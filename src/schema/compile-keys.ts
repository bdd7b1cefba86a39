/** Compiles belongsTo: each holds the key of its target, in one column or, where that key has several, in one for each. */
import { didYouMean } from "../base/suggest.ts";
import { type Draft, engineField } from "./compile-fields.ts";
import type { Problems } from "./errors.ts";
import { createKeyType, parseKeyText } from "./key.ts";
import { snakeCase } from "./names.ts";
import type { RelationSpec } from "./relation.ts";
import type { Default, Field, Relation } from "./schema.ts";

export type Drafts = ReadonlyMap<string, Draft>;

/** A relation as it was declared. */
export interface Declared {
  readonly drafts: Drafts;
  readonly draft: Draft;
  readonly name: string;
  readonly spec: RelationSpec;
  readonly problems: Problems;
}

/** How far a belongsTo has come: `open` while the keys that it leads to are compiled. */
type State = "open" | "done" | "circle" | "missing";

interface Compiling {
  readonly drafts: Drafts;
  readonly problems: Problems;
  readonly states: Map<string, State>;
}

/** Fills in the relation, type and columns of every belongsTo, those of a key first for those that hold it. */
export function compileForeignKeys(drafts: Drafts, problems: Problems): void {
  const compiling: Compiling = { drafts, problems, states: new Map() };
  for (const draft of drafts.values())
    for (const [name, spec] of relationsOf(draft)) if (spec.kind === "belongsTo") compileForeignKey(draft, name, compiling);
}

export function relationsOf(draft: Draft): readonly (readonly [string, RelationSpec])[] {
  return Object.entries(draft.spec.members).flatMap(([name, member]) => {
    const spec = specOf(member);
    return spec ? [[name, spec] as const] : [];
  });
}

function specOf(member: unknown): RelationSpec | null {
  const spec = (member as { readonly spec?: { readonly kind: string } } | null)?.spec;
  return spec && spec.kind !== "field" ? (spec as RelationSpec) : null;
}

export function targetOf(
  { drafts, draft, name, spec, problems }: Declared,
  target: RelationSpec["target"] = spec.target,
): Draft | null {
  const declared = target()?.name;
  const found = declared === undefined ? undefined : drafts.get(declared);
  if (found) return found;
  problems.add(
    `${draft.name}.${name}`,
    `the relation leads to ${declared === undefined ? "nothing" : JSON.stringify(declared)}, which is not in the backend.`,
    `Register the model: backend({ ${declared ?? "…"} }).${didYouMean(declared ?? "", drafts.keys())}`,
  );
  return null;
}

function compileForeignKey(draft: Draft, name: string, compiling: Compiling): State {
  const { drafts, problems, states } = compiling;
  const place = `${draft.name}.${name}`;
  const known = states.get(place);
  if (known !== undefined) return known;
  states.set(place, "open");
  const spec = specOf(draft.spec.members[name]);
  const declared = spec && { drafts, draft, name, spec, problems };
  const target = declared && targetOf(declared);
  const field = draft.fields.get(name);
  const state = target && field ? stateOf(target, compiling) : "missing";
  if (state === "circle")
    problems.add(place, "the keys it leads to lead in a circle.", "Give one of the models an id of its own.");
  states.set(place, state);
  if (declared && target && field && state === "done") holdKey({ ...declared, target, field }, compiling);
  return state;
}

// Of the target's key: a part of it may itself lead to another model.
function stateOf(target: Draft, compiling: Compiling): "done" | "circle" | "missing" {
  const states = target.key
    .filter(({ name }) => specOf(target.spec.members[name]))
    .map(({ name }) => compileForeignKey(target, name, compiling));
  if (states.some((state) => state === "open" || state === "circle")) return "circle";
  return states.includes("missing") || target.key.length === 0 ? "missing" : "done";
}

type Holding = Declared & { readonly target: Draft; readonly field: Field };

function holdKey(holding: Holding, compiling: Compiling): void {
  const { draft, name, spec, target, field, problems } = holding;
  const { key } = target;
  const columns = columnsOf(holding);
  const parts =
    key.length === 1
      ? null
      : key.map((part, index) => {
          const at = { name: columns[index] as string, native: nativeOf(holding, index) };
          return holdPart(part, at, { holding, compiling });
        });
  const onDelete = spec.onDelete ?? "restrict";
  if (onDelete === "setNull" && !(field.optional && (parts === null || parts.some(({ partOf }) => partOf === name))))
    problems.add(
      `${draft.name}.${name}`,
      "it is set to null on delete and not optional.",
      "Make it optional(), or choose restrict or cascade.",
    );
  const relation: Relation = {
    name,
    model: draft.name,
    kind: "one",
    via: "belongsTo",
    target: target.name,
    on: key.map((part, index) => ({ local: columns[index] as string, foreign: part.column })),
    through: null,
    inverseOf: null,
    optional: field.optional,
    owned: false,
    onDelete,
  };
  draft.relations.set(name, relation);
  if (!parts) {
    const { serial: _, ...params } = (key[0] as Field).params;
    const native = nativeOf(holding, 0);
    return replaceField(draft, { ...field, native, type: (key[0] as Field).type, params, relation });
  }
  insertParts(draft, name, parts);
  replaceField(draft, { ...field, column: "", parts, type: createKeyType(key), params: {}, relation });
  if (draft.key.some((part) => part.name === name))
    draft.key = [...new Set(draft.key.flatMap((part) => (part.name === name ? parts : [part])))];
}

function columnsOf({ draft, name, spec, target: { key }, field, problems }: Holding): readonly string[] {
  if (spec.columns.length === key.length) return spec.columns;
  if (spec.columns.length > 0)
    problems.add(
      `${draft.name}.${name}`,
      `the key that it holds has ${key.length === 1 ? "one part" : `${key.length} parts`}, and column() names ${spec.columns.length}.`,
      `Name one for each of ${key.map((part) => part.name).join(", ")}, or leave it out.`,
    );
  return key.length === 1 ? [field.column] : key.map(({ column }) => `${snakeCase(name)}_${column}`);
}

// What refers to a column is of its type, in a table of our own making too.
function nativeOf({ draft, spec, target }: Holding, index: number): string | null {
  return (draft.adopted ? spec.natives[index] : null) ?? target.key[index]?.native ?? null;
}

/** The stored field of one part: a new one, or the one whose column was named. */
function holdPart(
  part: Field,
  { name: column, native }: { readonly name: string; readonly native: string | null },
  { holding, compiling }: { readonly holding: Holding; readonly compiling: Compiling },
): Field {
  const { draft, name, spec, field, problems } = holding;
  const { serial: _, ...params } = part.params;
  const shared = spec.columns.length > 1 ? sharedField({ column, holding, compiling }) : undefined;
  if (shared) {
    if (shared.type.storage !== part.type.storage || !shared.immutable)
      problems.add(
        `${draft.name}.${name}`,
        `its column ${column} is also that of ${shared.name}, which ${shared.immutable ? `is ${shared.type.name} and not ${part.type.name}` : "may change by itself"}.`,
        shared.immutable ? "Give it another column()." : `Make ${shared.name} immutable(), or give it another column().`,
      );
    return shared;
  }
  return {
    ...engineField(draft.name, `${name}.${part.name}`),
    column,
    native,
    partOf: name,
    was: [name, ...field.was].flatMap((earlier) => [part.name, ...part.was].map((inner) => `${earlier}.${inner}`)).slice(1),
    type: part.type,
    params,
    default: defaultOf(part, holding),
    optional: field.optional,
    readOnly: field.readOnly,
    writeOnce: field.writeOnce,
    immutable: field.immutable,
    hidden: field.hidden,
  };
}

interface Sharing {
  readonly column: string;
  readonly holding: Holding;
  readonly compiling: Compiling;
}

// Itself the key of another relation, perhaps, whose type is then known only once that is compiled.
function sharedField({ column, holding: { draft, name }, compiling }: Sharing): Field | undefined {
  const find = () => [...draft.fields.values()].find((other) => other.name !== name && other.column === column);
  const found = find();
  if (!found || !specOf(draft.spec.members[found.name])) return found;
  compileForeignKey(draft, found.name, compiling);
  return find();
}

function defaultOf(part: Field, { draft, name, target: { key }, field, problems }: Holding): Default | null {
  const given = field.default;
  if (given === null) return null;
  const values = given.from === "value" ? parseKeyText(key, String(given.value)) : null;
  if (values) return { from: "value", value: values[key.indexOf(part)] ?? null };
  const told = given.from === "value" ? JSON.stringify(given.value) : "me";
  if (part === key[0])
    problems.add(`${draft.name}.${name}`, `its default ${told} is no key of ${key.length} parts.`, "Give the text of a key.");
  return null;
}

// Beside the relation: columns stand in the order of the file.
function insertParts(draft: Draft, name: string, parts: readonly Field[]): void {
  const entries = [...draft.fields].flatMap(([at, field]): (readonly [string, Field])[] =>
    at === name
      ? [[at, field], ...parts.filter(({ partOf }) => partOf === name).map((part) => [part.name, part] as const)]
      : [[at, field]],
  );
  draft.fields.clear();
  for (const [at, field] of entries) draft.fields.set(at, field);
}

export function replaceField(draft: Draft, field: Field): void {
  draft.fields.set(field.name, field);
  draft.key = draft.key.map((key) => (key.name === field.name ? { ...field, immutable: true, role: key.role } : key));
  const key = draft.key.find((part) => part.name === field.name);
  if (key) draft.fields.set(field.name, key);
}

/** Parts and keys are fields of the model themselves, whatever became of those since. */
export function refreshParts(drafts: Drafts): void {
  for (const draft of drafts.values()) {
    for (const field of draft.fields.values()) {
      if (!field.parts) continue;
      draft.fields.set(field.name, { ...field, parts: field.parts.map((part) => draft.fields.get(part.name) ?? part) });
    }
    draft.key = draft.key.map((part) => draft.fields.get(part.name) ?? part);
  }
}
