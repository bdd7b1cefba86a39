/** What stands against taking a table over: that it is no table, or that the file says something else of it. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { FoundTable } from "../../../drivers/found.ts";
import type { Field, Model } from "../../../schema/schema.ts";
import { storedFields } from "../snapshot/snapshot.ts";

/** Half sentences; empty where it can be taken over. */
export function faultsOf(model: Model, table: FoundTable, ddl: Ddl): readonly string[] {
  if (table.fault !== null) return [table.fault];
  if (table.key.length === 0) return ["it has no primary key"];
  const fields = new Map(storedFields(model).map((field) => [field.column, field]));
  const key = model.key.map(({ column }) => column);
  const without = new Set(model.without);
  const strangers = table.columns.filter(({ name }) => !fields.has(name) && !without.has(name)).map(({ name }) => name);
  const told = [
    ...(key.join("\n") === table.key.join("\n") ? [] : [`its key is ${table.key.join(", ")}, and ${key.join(", ")} in the file`]),
    ...strangers.map((name) => `the file does not know of its column ${name}: add it, or name it in .without()`),
    ...table.columns.flatMap((column) => columnFaults(fields.get(column.name), column, ddl)),
  ];
  return told.length === 0 ? [] : [...told, "`holdfast adopt --check` tells all that differs"];
}

function columnFaults(field: Field | undefined, { name, native, counted }: FoundTable["columns"][number], ddl: Ddl): string[] {
  if (!field) return [];
  if (field.native === null)
    return [
      `the file does not say which type its column ${name} has: write .column(${JSON.stringify(name)}, ${JSON.stringify(native.type)})`,
    ];
  const { type, collation } = ddl.forms.declare(field.native);
  const isSame = type.toLowerCase() === native.type.toLowerCase() && (collation === undefined || collation === native.collation);
  return [
    ...(isSame ? [] : [`its column ${name} is ${native.type || "of no type"}, and ${type || "of no type"} in the file`]),
    ...((field.params.serial ?? false) && !counted ? [`the database does not count its column ${name} up`] : []),
  ];
}
