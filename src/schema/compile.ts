/** Compiles declared models into the schema: fields, then relations, then rules; every problem is told, with its mend. */
import { nearest } from "../base/suggest.ts";
import type { Cond, Scope } from "./cond.ts";
import { createProblems, problemsError, type Problems } from "./errors.ts";
import { checkColumns, compileFields, type Draft } from "./compile-fields.ts";
import { compileRelations } from "./compile-relations.ts";
import { allOf, always, type Filter, never } from "./filter.ts";
import type { AccessRules, ModelSpec } from "./model.ts";
import { nameFault, snakeCase } from "./names.ts";
import { type Resolver, resolveExpression, resolveRule } from "./resolve.ts";
import { createRow, meTerms } from "./rule.ts";
import { shownTable, tableIn } from "./table-name.ts";
import type { Access, Field, FieldAccess, Index, Model, Schema } from "./schema.ts";

/** Rows on a page where the model says nothing. */
export const pageSizeDefault = 20;
export const pageSizeMaxDefault = 100;

/** A declared model, whatever its types. */
export interface DeclaredModel {
  readonly name: string;
  readonly spec: ModelSpec;
}

/**
 * Compiles the models of a backend.
 * @throws AppError `backend_invalid` that lists every problem with its place and mend.
 */
export function compileSchema(models: Readonly<Record<string, DeclaredModel>>): Schema {
  const problems = createProblems();
  const drafts = draftModels(models, problems);
  for (const draft of drafts.values()) compileFields(draft, problems);
  compileRelations(drafts, problems);
  for (const draft of drafts.values()) checkColumns(draft, problems);
  const resolver: Resolver = { models: drafts, roles: [], problems, place: "" };
  for (const draft of drafts.values()) compileComputed(draft, resolver);
  for (const draft of drafts.values()) compileRest(draft, resolver);
  if (problems.found.length > 0) throw problemsError(problems.found);
  return Object.freeze({ models: drafts, roles: resolver.roles });
}

function draftModels(models: Readonly<Record<string, DeclaredModel>>, problems: Problems): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  const tables = new Map<string, string>();
  for (const [registered, declared] of Object.entries(models)) {
    const name = declared?.name;
    if (typeof name !== "string" || !declared.spec?.members) {
      problems.add(registered, "this is not a model.", `Declare it with model(${JSON.stringify(registered)}, { … }).`);
      continue;
    }
    if (drafts.has(name)) problems.add(name, "two models have this name.", "Rename one of them.");
    else if (registered !== name)
      problems.add(
        name,
        `the model is registered as ${JSON.stringify(registered)}.`,
        `Register it under its own name: backend({ ${name} }).`,
      );
    const fault = nameFault(name, "model");
    if (fault) problems.add(name, fault, "Rename the model.");
    const { spec } = declared;
    const own = spec.table ?? snakeCase(name);
    const table = tableIn(spec.schema, own);
    // Databases may tell apart what differs in case; tables that we make must not need that.
    const place = spec.adopted ? table : table.toLowerCase();
    const other = tables.get(place);
    if (other !== undefined && other !== name)
      problems.add(name, `its table ${shownTable(table)} is also that of ${other}.`, "Give one of them another table().");
    if (spec.schema !== null && !spec.adopted)
      problems.add(
        name,
        "it names a schema, and its table is Holdfast's own.",
        "Holdfast's own tables stand in the current schema: remove schema().",
      );
    if (`${own}${spec.schema ?? ""}`.includes("\u0000"))
      problems.add(name, "its table's name has a character that no name holds.", "Give it another table().");
    if (own.startsWith("sqlite_") || (own.startsWith("_") && !spec.adopted))
      problems.add(name, `a table must not start with "_" or "sqlite_".`, "Give it another table().");
    tables.set(place, name);
    drafts.set(name, draftModel(name, table, spec));
  }
  return drafts;
}

function draftModel(name: string, table: string, spec: ModelSpec): Draft {
  const pageSizeMax = spec.pageSizeMax ?? Math.max(pageSizeMaxDefault, spec.pageSize ?? 0);
  return {
    spec,
    name,
    table,
    was: spec.was,
    key: [],
    fields: new Map(),
    relations: new Map(),
    indexes: [],
    search: [],
    access: { read: never, create: never, update: never, delete: never, fields: new Map() },
    softDelete: spec.softDelete,
    timestamps: spec.timestamps,
    requireVersion: spec.requireVersion,
    adopted: spec.adopted,
    takenOver: spec.takenOver,
    without: spec.without,
    readOnly: spec.readOnly,
    version: null,
    limits: { pageSize: Math.min(spec.pageSize ?? pageSizeDefault, pageSizeMax), pageSizeMax },
  };
}

// Before any rule is resolved: rules hold on to the fields they find.
function compileComputed(draft: Draft, resolver: Resolver): void {
  for (const name of draft.spec.computed) {
    const field = draft.fields.get(name);
    const expression = draft.expressions?.get(name);
    if (!field || !expression) continue;
    const row = createRow({ from: "row" });
    draft.fields.set(name, {
      ...field,
      computed: resolveExpression(expression({ row }), draft, { ...resolver, place: `${draft.name}.${name}` }),
    });
  }
}

function compileRest(draft: Draft, resolver: Resolver): void {
  const { problems } = resolver;
  draft.search = draft.spec.search.flatMap((name) => namedField(draft, name, { problems, place: `${draft.name}.search` }) ?? []);
  for (const field of draft.search) {
    if (!field.type.operators.includes("search"))
      problems.add(`${draft.name}.search`, `${field.name} is ${field.type.name}.`, "Search looks through texts.");
  }
  draft.access = compileAccess(draft, resolver);
  for (const action of ["create", "update", "delete"] as const)
    if (draft.readOnly && draft.access[action].op !== "false")
      problems.add(`${draft.name}.access.${action}`, "the model is read only.", "Give it a read rule alone.");
  compileIndexes(draft, resolver);
  guardComputed(draft, problems);
}

function compileAccess(draft: Draft, resolver: Resolver): Access {
  if (!draft.spec.access) return draft.access;
  const scope: Scope = { from: "row" };
  const context = { row: createRow(scope), input: createRow({ from: "input" }), me: meTerms };
  const rules = draft.spec.access(context as never) as AccessRules<Record<string, unknown>>;
  const rule = (cond: Cond | undefined, place: string): Filter =>
    cond ? resolveRule(cond, { scope, model: draft }, { ...resolver, place: `${draft.name}.access.${place}` }) : never;
  for (const name of Object.keys(rules)) {
    if (!["read", "create", "update", "delete", "write", "fields"].includes(name)) {
      resolver.problems.add(
        `${draft.name}.access`,
        `there is no action ${JSON.stringify(name)}.`,
        "It has read, create, update, delete, write and fields.",
      );
    }
  }
  const fields = new Map<string, FieldAccess>();
  for (const [name, fieldRules] of Object.entries(rules.fields ?? {})) {
    if (!fieldRules || !namedField(draft, name, { ...resolver, place: `${draft.name}.access.fields` })) continue;
    const fieldRule = (cond: Cond | undefined, action: string) => (cond ? rule(cond, `fields.${name}.${action}`) : null);
    fields.set(name, {
      read: fieldRule(fieldRules.read, "read"),
      create: fieldRule(fieldRules.create ?? fieldRules.write, "create"),
      update: fieldRule(fieldRules.update ?? fieldRules.write, "update"),
    });
  }
  return {
    read: rule(rules.read, "read"),
    create: rule(rules.create ?? rules.write, "create"),
    update: rule(rules.update ?? rules.write, "update"),
    delete: rule(rules.delete ?? rules.write, "delete"),
    fields,
  };
}

function compileIndexes(draft: Draft, resolver: Resolver): void {
  const indexes: Index[] = [];
  const live = draft.softDelete ? liveFilter(draft) : null;
  const add = (names: readonly string[], unique: boolean, where: Filter | null) => {
    const columns = names.flatMap((name) => {
      const field = namedField(draft, name.replace(/^-/, ""), { ...resolver, place: `${draft.name}.index` });
      if (field?.computed)
        resolver.problems.add(`${draft.name}.index`, `${field.name} is computed.`, "Index the fields it is computed from.");
      return field ? columnsOf(field).map((column) => ({ column, descending: name.startsWith("-") })) : [];
    });
    if (columns.length === 0)
      return resolver.problems.add(`${draft.name}.index`, "an index needs a field.", "Name one, or remove the index.");
    const suffix = unique ? "key" : "idx";
    const name = `${draft.table}_${columns.map(({ column, descending }) => (descending ? `${column}_desc` : column)).join("_")}${where && where !== live ? "_part" : ""}_${suffix}`;
    if (!indexes.some((index) => index.name === name)) indexes.push({ name, columns, unique, where });
  };
  for (const field of draft.fields.values()) if (field.unique) add([field.name], true, live);
  for (const { fields, unique, where } of draft.spec.indexes) {
    const scope: Scope = { from: "row" };
    const partial = where
      ? resolveRule(where({ row: createRow(scope) }), { scope, model: draft }, { ...resolver, place: `${draft.name}.index` })
      : null;
    add(fields, unique, unique && live ? allOf([live, partial ?? always]) : partial);
  }
  const whole = indexes.filter(({ where }) => where === null).map(({ columns }) => columns.map(({ column }) => column));
  const leads = (wanted: readonly string[]) =>
    [...whole, columnsOfKey(draft)].some((columns) => wanted.every((column) => columns.slice(0, wanted.length).includes(column)));
  // In a table of others there are the indexes that are there.
  if (!draft.adopted)
    for (const field of draft.fields.values()) if (field.relation && !leads(columnsOf(field))) add([field.name], false, null);
  draft.indexes = indexes;
}

function columnsOf(field: Field): readonly string[] {
  return field.parts ? field.parts.map(({ column }) => column) : [field.column];
}

function columnsOfKey({ key }: Model): readonly string[] {
  return key.map(({ column }) => column);
}

/** Rows that are not in the trash. */
function liveFilter(draft: Draft): Filter {
  const field = draft.fields.get("deletedAt") as Field;
  const left = { field, up: 0, path: [], inside: null, mask: null, of: "row" } as const;
  return { op: "compare", operator: "isNull", left, right: [{ from: "value", value: 1 }] };
}

// A computed field shows what it is made of: it must not be readable where one of its parts is not.
function guardComputed(draft: Draft, problems: Problems): void {
  for (const field of draft.fields.values()) {
    if (!field.computed || field.hidden || draft.access.fields.get(field.name)?.read) continue;
    const closed = partsOf(field.computed).find((part) => part.hidden || draft.access.fields.get(part.name)?.read);
    if (closed)
      problems.add(
        `${draft.name}.${field.name}`,
        `it is computed from ${closed.name}, which not everyone may read.`,
        `Give ${field.name} a read rule of its own, or hide it.`,
      );
  }
}

function partsOf(expression: NonNullable<Field["computed"]>): readonly Field[] {
  if (expression.op === "field") return [expression.field];
  return expression.op === "call" ? expression.args.flatMap(partsOf) : [];
}

function namedField(draft: Model, name: string, { place, problems }: Pick<Resolver, "place" | "problems">): Field | null {
  const field = draft.fields.get(name);
  if (field) return field;
  const near = nearest(name, draft.fields.keys());
  problems.add(
    place,
    `${draft.name} has no field ${JSON.stringify(name)}.`,
    near ? `Did you mean ${JSON.stringify(near)}?` : `It has ${[...draft.fields.keys()].join(", ")}.`,
  );
  return null;
}
