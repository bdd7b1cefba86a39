/** What both servers say of themselves, from information_schema, in the words in which they say what they were told to make. */
import { createCommits } from "./commits.ts";
import type { Row } from "../../../database.ts";
import {
  type Catalogue,
  type IndexShape,
  type Reader,
  type ReferenceShape,
  type Structure,
  type Structures,
  type TableShape,
} from "../../../ddl.ts";
import { readFound } from "./found.ts";
import { findOrphans, ruleOf } from "./references.ts";
import { typeOf } from "./shapes.ts";
import { describeTable, tiesOf, toStructure } from "../../structures.ts";
import { literal, shorten } from "../text.ts";
import type { Variant } from "../variants/variant.ts";

const here = "table_schema = database()";
const isOurs = "c.column_name like 'holdfast\\_%' escape '\\' and coalesce(c.generation_expression, '') <> ''";

/** Changes with any definition, but for tables with a leading underscore that are not named. */
export function fingerprint(own: readonly string[], { expression }: Variant["tables"]): string {
  const counts = (table: string) => `(left(${table}, 1) <> '_' or ${table} in (${own.map(literal).join(", ")}))`;
  const nothing = "''";
  const columns = `select concat_ws(' ', 'c', table_name, column_name, column_type, is_nullable, extra, ifnull(collation_name, ${nothing}), ifnull(generation_expression, ${nothing})) d from information_schema.columns where ${here} and ${counts("table_name")}`;
  const indexes = `select concat_ws(' ', 'i', table_name, index_name, seq_in_index, ifnull(column_name, ${nothing}), non_unique, ifnull(collation, ${nothing}), ifnull(sub_part, ${nothing}), index_type, ifnull(${expression}, ${nothing})) d from information_schema.statistics s where ${here} and ${counts("table_name")}`;
  const references = `select concat_ws(' ', 'r', k.table_name, k.constraint_name, k.ordinal_position, k.column_name, k.referenced_table_name, k.referenced_column_name, r.delete_rule) d from information_schema.key_column_usage k join information_schema.referential_constraints r on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name where k.${here} and ${counts("k.table_name")}`;
  // Views are known by their columns.
  const triggers = `select concat_ws(' ', 't', trigger_name, event_object_table) d from information_schema.triggers where trigger_schema = database()`;
  return `(SELECT sha2(group_concat(d ORDER BY d SEPARATOR '\n'), 256) FROM (${columns} union all ${indexes} union all ${references} union all ${triggers}) a)`;
}

const tablesText = `select table_name from information_schema.tables where ${here} and table_type = 'BASE TABLE' order by binary table_name`;
const columnsText = `select c.table_name, c.column_name, c.column_type, c.is_nullable, c.extra from information_schema.columns c
join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type = 'BASE TABLE'
where c.${here} and not (${isOurs}) order by binary c.table_name, c.ordinal_position`;
const referencesText = `select k.table_name, k.constraint_name, k.column_name, if(k.referenced_table_schema = database(), k.referenced_table_name, concat(k.referenced_table_name, ' of another database')), k.referenced_column_name, r.delete_rule, r.update_rule
from information_schema.key_column_usage k join information_schema.referential_constraints r
  on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name
where k.${here} order by binary k.table_name, binary k.constraint_name, k.ordinal_position`;
// A reference brings an index of its own name along, which nobody has asked for.
const indexesText = `select s.table_name, s.index_name, s.non_unique, s.column_name, s.collation, s.sub_part, c.column_name is not null and ${isOurs}
from information_schema.statistics s left join information_schema.columns c
  on c.table_schema = s.table_schema and c.table_name = s.table_name and c.column_name = s.column_name
where s.${here} and not exists (select 1 from information_schema.referential_constraints r where r.constraint_schema = database()
  and r.table_name = s.table_name and r.constraint_name = s.index_name)
order by binary s.table_name, binary s.index_name, s.seq_in_index`;
const straysText = `select concat('view ', table_name) n from information_schema.views where ${here}
union all select concat('trigger ', trigger_name) from information_schema.triggers where trigger_schema = database() order by n`;

async function readTables(read: Reader): Promise<readonly string[]> {
  return (await read(tablesText)).map(([name]) => String(name as string));
}

async function readStructures(read: Reader): Promise<Structures> {
  const [columns, references, indexes, strays] = await Promise.all([
    read(columnsText),
    read(referencesText),
    read(indexesText),
    read(straysText),
  ]);
  const byTable = (rows: readonly Row[]) => Map.groupBy(rows, ([table]) => String(table as string));
  const [referencesOfTable, indexesOfTable] = [byTable(references), byTable(indexes)];
  const structures = [...byTable(columns)].map(([name, rows]) =>
    structureOf(name, rows, {
      references: referencesOfTable.get(name) ?? [],
      indexes: (indexesOfTable.get(name) ?? []).map((row) => row.map((value) => value)),
    }),
  );
  return {
    tables: new Map(structures.map((one) => [one.name, one])),
    strays: strays.map(([stray]) => String(stray as string)),
  };
}

interface Parts {
  readonly references: readonly Row[];
  readonly indexes: readonly Row[];
}

function structureOf(name: string, columns: readonly Row[], { references, indexes }: Parts): Structure {
  const held = [...Map.groupBy(references, (row) => row[1]).values()].map((rows): ReferenceShape => {
    const texts = rows.map((row) => row.map(String));
    const [, , , table = "", , onDelete = "", onUpdate = ""] = texts[0] as string[];
    const at = (place: number) => texts.map((row) => row[place] as string);
    return { columns: at(2), table, key: at(4), rule: ruleOf(onDelete, onUpdate) };
  });
  const described = columns.map((row) => {
    const [, column = "", type = "", nullable, extra = ""] = row.map(String);
    const counted = extra.toLowerCase().includes("auto_increment") ? " AUTO_INCREMENT" : "";
    return [column, `${type}${counted}${nullable === "NO" ? " NOT NULL" : ""}${tiesOf(held, column)}`] as const;
  });
  return toStructure(name, described, {
    rows: indexes,
    nameOf: (row) => String(row[1] as string),
    columnOf: (row) => String(row[3] as string),
    isKey: (row) => row[1] === "PRIMARY",
    describe: describeRows,
  });
}

function describeRows(rows: readonly Row[]): string {
  // A unique index holds all of a text, if only by its hash, which is no column.
  const isUnique = rows[0]?.[2] === 0;
  const columns = rows
    .filter((row) => row[6] !== 1 && typeof row[3] === "string")
    .map(([, , , column, collation, part]) => ({
      column: String(column as string),
      descending: collation === "D",
      ...(part === null || part === undefined || isUnique ? {} : { prefix: Number(part) }),
    }));
  return indexText({ unique: isUnique, columns, isPartial: rows.some((row) => row[6] === 1) });
}

// The server rewrites a condition in its own words, so only its presence is compared; the fingerprint has every letter.
function indexText(index: { unique: boolean; columns: IndexShape["columns"]; isPartial: boolean }): string {
  const listed = index.columns
    .map(({ column, descending, prefix }) => `${column}${prefix === undefined ? "" : `(${prefix})`}${descending ? " DESC" : ""}`)
    .join(", ");
  return `${index.unique ? "UNIQUE " : ""}(${listed})${index.isPartial ? " WHERE …" : ""}`;
}

function describe(table: TableShape, indexes: readonly IndexShape[], tables: Variant["tables"]): Structure {
  // An index that a reference brings along is not listed.
  const own = indexes.filter(({ found }) => found !== "constraint");
  const described = own.map((one) => {
    const shortened = one.columns.map((part) => ({ ...part, column: shorten(part.column) }));
    const isPartial = one.where !== null && one.unique;
    return [shorten(one.name), indexText({ unique: one.unique, columns: shortened, isPartial })] as const;
  });
  return describeTable(table, described, {
    shorten,
    typeOf: (column) => `${typeOf(column, tables)}${column.serial ? " AUTO_INCREMENT" : ""}`,
  });
}

export function createCatalogue({ catalog, tables }: Variant): Catalogue {
  return Object.freeze<Catalogue>({
    readTables,
    readStructures,
    readFound: (read, named) => readFound(catalog, read, named),
    describe: (table, indexes) => describe(table, indexes, tables),
    readSizes: async () => new Map(),
    verify: findOrphans,
    commits: createCommits(tables.integer),
  });
}
