/** Compares a backend file with the database that it was adopted from, and names each difference. */
import type { CatalogColumn, CatalogTable } from "../../drivers/catalog.ts";
import type { Backend } from "../../engine/backend.ts";
import type { Registry } from "../../engine/typed.ts";
import { compileSchema } from "../../schema/compile.ts";
import type { Field, Model } from "../../schema/schema.ts";
import { arrange } from "./arrange.ts";

/** One sentence for each difference. Tables in `without` are nobody's business. */
export function compareBackend(
  backend: Backend<Registry>,
  catalog: readonly CatalogTable[],
  without: readonly string[],
): readonly string[] {
  const declared = backend.spec.models as Parameters<typeof compileSchema>[0];
  const schema = compileSchema(declared);
  const models = [...schema.models.values()];
  const known = new Map(models.map((model) => [model.table, model]));
  const servable = new Set(arrange(catalog, without).models.map(({ table }) => table.name));
  const tables = new Map(catalog.map((table) => [table.name, table]));
  const added = catalog
    .filter(({ name }) => servable.has(name) && !known.has(name))
    .map(({ name, kind }) => `${kind} ${name} is in the database and not in the file`);
  const compared = models
    .filter(({ adopted }) => adopted)
    .flatMap((model) => {
      const table = tables.get(model.table);
      if (!table) return [`table ${model.table} (${model.name}) is in the file and not in the database`];
      return compareTable(model, table, declared[model.name]?.spec.without ?? []);
    });
  return [...compared, ...added];
}

function compareTable(model: Model, table: CatalogTable, without: readonly string[]): string[] {
  const fields = new Map([...model.fields.values()].filter(({ column }) => column !== "").map((field) => [field.column, field]));
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const at = (column: string) => `column ${table.name}.${column}`;
  const gone = [...fields.values()]
    .filter(({ column }) => !columns.has(column))
    .map(({ column, name }) => `${at(column)} (${model.name}.${name}) is in the file and not in the database`);
  const added = table.columns
    .filter(({ name }) => !fields.has(name) && !without.includes(name))
    .map(({ name, native }) => `${at(name)} (${native}) is in the database and not in the file`);
  const changed = [...fields.values()].flatMap((field) => {
    const column = columns.get(field.column);
    return column ? compareColumn(field, column).map((what) => `${at(field.column)} (${model.name}.${field.name}) ${what}`) : [];
  });
  return [...gone, ...changed, ...added, ...compareKey(model, table)];
}

function compareColumn(field: Field, column: CatalogColumn): string[] {
  const found: string[] = [];
  if (field.native !== null && field.native !== column.native)
    found.push(`is ${column.native || "of no type"} in the database and ${field.native || "of no type"} in the file`);
  if (field.optional !== column.optional)
    found.push(
      `is ${column.optional ? "optional" : "required"} in the database and ${field.optional ? "optional" : "required"} in the file`,
    );
  const { choices } = field.params;
  const given = column.type?.name === "choice" ? column.type.choices : undefined;
  if (choices && given && choices.join("\n") !== given.join("\n"))
    found.push(`may be ${given.join(", ")} in the database and ${choices.join(", ")} in the file`);
  return found;
}

function compareKey({ name, key, readOnly }: Model, table: CatalogTable): string[] {
  if (readOnly) return [];
  const [ours, theirs] = [key.map(({ column }) => column).join(", "), table.key.join(", ")];
  return ours === theirs
    ? []
    : [`table ${table.name} (${name}): its key is ${theirs || "none"} in the database and ${ours} in the file`];
}
