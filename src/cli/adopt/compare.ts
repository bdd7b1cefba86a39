/** Compares a backend file with the database that it was adopted from, and names each difference. */
import type { CatalogColumn, CatalogSchema, CatalogTable } from "../../drivers/catalog.ts";
import type { Backend } from "../../engine/backend.ts";
import type { Registry } from "../../engine/typed.ts";
import { compileSchema } from "../../schema/compile.ts";
import type { Field, Model } from "../../schema/schema.ts";
import { partsOfTable, schemasOf, shownTable } from "../../schema/table-name.ts";
import { arrange } from "./arrange.ts";
import { compareColumn, type Difference } from "./compare-columns.ts";
import { type Compared, compareTies, compareUniques } from "./compare-ties.ts";

/** The schemas in which the file's tables stand, the current one included where some do. */
export function schemasOfBackend(backend: Backend<Registry>, known: readonly CatalogSchema[]): readonly string[] {
  const schema = compileSchema(backend.spec.models as Parameters<typeof compileSchema>[0]);
  const tables = [...schema.models.values()].map(({ table }) => table);
  const current = known.find(({ isCurrent }) => isCurrent)?.name;
  const isThere = tables.some((table) => partsOfTable(table).schema === null);
  return [...(isThere && current !== undefined ? [current] : []), ...schemasOf(tables)];
}

/** One sentence for each difference. What is in `without`, as `table` or `table.column`, is nobody's business. */
export function compareBackend(
  backend: Backend<Registry>,
  catalog: readonly CatalogTable[],
  without: readonly string[],
): readonly string[] {
  const declared = backend.spec.models as Parameters<typeof compileSchema>[0];
  const schema = compileSchema(declared);
  const models = [...schema.models.values()];
  const known = new Set(models.map(({ table }) => table));
  const adopted = new Map(arrange(catalog, without).models.map((model) => [model.table.name, model]));
  const tables = new Map(catalog.map((table) => [table.name, table]));
  const added = catalog
    .filter(({ name }) => adopted.has(name) && !known.has(name))
    .map(({ name, kind }) => `${kind} ${shownTable(name)} is in the database and not in the file`);
  const compared = models
    // Of what is taken over `holdfast migrate status` tells.
    .filter((model) => model.adopted && !model.takenOver)
    .flatMap((model) => {
      const table = tables.get(model.table);
      if (!table) return [`table ${shownTable(model.table)} (${model.name}) is in the file and not in the database`];
      return compareTable({ model, schema, table, now: adopted.get(table.name) }, without);
    });
  return [...compared, ...added];
}

function compareTable(compared: Compared, without: readonly string[]): string[] {
  const { model, table } = compared;
  const fields = new Map([...model.fields.values()].filter(({ column }) => column !== "").map((field) => [field.column, field]));
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const isSkipped = (column: string) => without.includes(shownTable(`${table.name}.${column}`));
  const found = [
    ...[...fields.values()]
      .filter(({ column }) => !columns.has(column))
      .map((field) => told(field, "is in the file and not in the database")),
    ...[...fields.values()].flatMap((field) => changed(field, columns.get(field.column))),
    ...compareTies(compared),
    ...compareUniques(compared),
    ...table.columns
      .filter(({ name }) => !fields.has(name) && !model.without.includes(name))
      .map(({ name, native }) => ({ columns: [name], text: `(${native}) is in the database and not in the file` })),
  ];
  const lines = found
    .filter((difference) => !difference.columns.some(isSkipped))
    .map(
      (difference) =>
        `column ${difference.columns.map((name) => shownTable(`${table.name}.${name}`)).join(", ")} ${difference.text}`,
    );
  return [...lines, ...compareKey(model, table)];
}

function told(field: Field, text: string): Difference {
  return { columns: [field.column], text: `(${field.model}.${field.name}) ${text}` };
}

function changed(field: Field, column: CatalogColumn | undefined): Difference[] {
  return column ? compareColumn(field, column).map((text) => told(field, text)) : [];
}

function compareKey({ name, key, readOnly }: Model, table: CatalogTable): string[] {
  if (readOnly) return [];
  const [ours, theirs] = [key.map(({ column }) => column).join(", "), table.key.join(", ")];
  return ours === theirs
    ? []
    : [`table ${shownTable(table.name)} (${name}): its key is ${theirs || "none"} in the database and ${ours} in the file`];
}
