/** A model of a snapshot as its table is found: what the file says in the database's own words. */
import type { TieDetails } from "../../../drivers/ddl.ts";
import type { FoundColumn, FoundIndex, FoundTable } from "../../../drivers/found.ts";
import type { Field, Model, Schema } from "../../../schema/schema.ts";
import type { ModelIdentity } from "../snapshot/identity.ts";
import { storedFields } from "../snapshot/snapshot.ts";
import type { Snapshot, SnapshotField, SnapshotModel, SnapshotReference } from "../snapshot/snapshot-types.ts";

export interface Taking {
  readonly model: Model;
  readonly table: FoundTable;
  readonly identity: ModelIdentity;
}

export interface Known {
  readonly schema: Schema;
  readonly ids: ReadonlyMap<string, ModelIdentity>;
  /** What the file says. */
  readonly wanted: Snapshot;
}

export function modelOf({ model, table, identity }: Taking, known: Known): SnapshotModel {
  const { references: _, ...said } = known.wanted.models.find(({ id }) => id === identity.id) as SnapshotModel;
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const stored = storedFields(model).filter(({ column }) => columns.has(column));
  const ties = findTies(model, table, known);
  const fields = stored.map((field) => {
    const declared = said.fields.find(({ column }) => column === field.column) as SnapshotField;
    return fieldOf(field, { declared, found: columns.get(field.column) as FoundColumn, tie: ties.get(field.name), known });
  });
  const references = [...model.fields.values()].flatMap((field) => referenceOf(field, ties.get(field.name), known) ?? []);
  const indexes = said.indexes.flatMap((index) => {
    const same = table.indexes.find((one) => isSame(one, index));
    return same && same.columns !== null ? [same] : [];
  });
  const strangers = table.columns.filter(({ name }) => !stored.some(({ column }) => column === name));
  const loose = table.indexes.filter(({ name }) => !indexes.some((index) => index.name === name));
  const used = new Set(ties.values());
  return {
    ...said,
    fields,
    indexes,
    ...(references.length === 0 ? {} : { references }),
    adopted: {
      traits: table.traits,
      beyond: [
        ...table.beyond,
        ...strangers.map(({ name }) => `the column ${name}`),
        ...loose.map(({ name }) => `the index ${name}`),
      ],
      others: [...strangers, ...loose].map(({ name }) => name),
      ties: table.references.filter((one) => !used.has(one)),
    },
  };
}

type Tie = FoundTable["references"][number];

/** The table's references that are relations, by their names. */
function findTies(model: Model, table: FoundTable, { schema }: Known): ReadonlyMap<string, Tie> {
  const found = new Map<string, Tie>();
  for (const field of model.fields.values()) {
    const target = targetOf(field, schema);
    const names = (field.parts ?? [field]).map(({ column }) => column);
    const key = target?.key.map(({ column }) => column) ?? [];
    const tie = table.references.find((one) => one.table === target?.table && equal(one.columns, names) && equal(one.key, key));
    if (tie) found.set(field.name, tie);
  }
  return found;
}

function targetOf(field: Field, schema: Schema): Model | undefined {
  return field.relation ? schema.models.get(field.relation.target) : undefined;
}

interface Reading {
  readonly declared: SnapshotField;
  readonly found: FoundColumn;
  readonly tie: Tie | undefined;
  readonly known: Known;
}

function fieldOf(field: Field, { declared, found, tie, known: { schema, ids } }: Reading): SnapshotField {
  const { fromDatabase: _, ...rest } = declared;
  const target = targetOf(field, schema);
  const lead = target && ids.get(target.name);
  const key = target?.key[0];
  const leads =
    lead && key
      ? { model: lead.id, field: lead.fields.get(key.name) as string }
      : { table: target?.table ?? "", column: key?.column ?? "" };
  return {
    ...rest,
    optional: found.optional,
    native: { ...found.native, spelt: field.native ?? "" },
    references: tie ? { ...leads, ...detailsOf(tie) } : null,
  };
}

function referenceOf(field: Field, tie: Tie | undefined, { schema, ids }: Known): SnapshotReference | null {
  const target = targetOf(field, schema);
  if (!tie || !target || !field.parts) return null;
  const lead = ids.get(target.name);
  const fields = field.parts.map((part) => ids.get(part.model)?.fields.get(part.name) as string);
  const leads = lead
    ? { model: lead.id, key: target.key.map(({ name }) => lead.fields.get(name) as string) }
    : { model: target.table, key: target.key.map(({ column }) => column), isOutside: true as const };
  return { name: field.name, fields, ...leads, ...detailsOf(tie) };
}

function detailsOf({ tie, rule }: Tie): TieDetails {
  return { ...(tie === undefined ? {} : { tie }), ...(rule === undefined ? {} : { rule }) };
}

function isSame(found: FoundIndex, said: SnapshotModel["indexes"][number]): boolean {
  if (found.columns === null || found.unique !== said.unique || found.where !== null || said.where !== null) return false;
  const spell = (columns: typeof said.columns) => columns.map(({ column, descending }) => `${column} ${descending}`);
  return equal(spell(found.columns), spell(said.columns));
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}
