/** What PostgreSQL says of tables that somebody else made. Every change is made in place, so no copy could lose anything. */
import type { Row } from "../../../database.ts";
import type { Reader, ReferenceShape } from "../../../ddl.ts";
import type { FoundColumn, FoundIndex, FoundTable } from "../../../found.ts";
import { partsOfTable, tableIn } from "../../../../schema/table-name.ts";
import { literal, quote } from "../text.ts";
import { ruleText } from "./rules.ts";
import { nameFrom, nameText } from "./schemas.ts";

const from = (tables: readonly string[]) => {
  const pairs = tables.map((table) => {
    const { schema, name } = partsOfTable(table);
    return `(${schema === null ? "current_schema()" : literal(schema)}, ${literal(name)})`;
  });
  return `pg_class c join pg_namespace n on n.oid = c.relnamespace and (n.nspname, c.relname) in (${pairs.join(", ")})`;
};
const names = (table: string, numbers: string) =>
  `(select json_agg(a.attname order by k.place)::text from unnest(${numbers}) with ordinality k(number, place) join pg_attribute a on a.attrelid = ${table} and a.attnum = k.number)`;

const tablesText = (tables: readonly string[]) =>
  `select ${nameText("c")}, c.relkind::text, c.relispartition from ${from(tables)} where c.relkind in ('r', 'p', 'v', 'm', 'f')`;
const columnsText = (
  tables: readonly string[],
) => `select ${nameText("c")}, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity <> '',
  pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '', case when a.attcollation <> t.typcollation then l.collname end, l.collnamespace::regnamespace::text,
  (select json_agg(e.enumlabel order by e.enumsortorder)::text from pg_enum e where e.enumtypid = t.oid)
from ${from(tables)} join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped join pg_type t on t.oid = a.atttypid
left join pg_collation l on l.oid = a.attcollation left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum order by a.attnum`;
const referencesText = (
  tables: readonly string[],
) => `select ${nameText("c")}, o.conname, ${names("o.conrelid", "o.conkey")}, ${nameText("f")}, ${names("o.confrelid", "o.confkey")}, ${ruleText("o")}
from ${from(tables)} join pg_constraint o on o.conrelid = c.oid and o.contype = 'f' join pg_class f on f.oid = o.confrelid where o.conparentid = 0 order by o.conname`;
const indexesText = (
  tables: readonly string[],
) => `select ${nameText("c")}, x.relname, i.indisunique, i.indisprimary, i.indpred is null and i.indexprs is null and i.indnkeyatts = i.indnatts,
  ${names("i.indrelid", "i.indkey")}, i.indoption::text, exists (select 1 from pg_constraint o where o.conindid = i.indexrelid and o.contype = 'u'), m.amname
from ${from(tables)} join pg_index i on i.indrelid = c.oid join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam order by x.relname`;

export async function readFound(read: Reader, tables: readonly string[]): Promise<ReadonlyMap<string, FoundTable>> {
  const [listed, columns, references, indexes] = await Promise.all(
    [tablesText, columnsText, referencesText, indexesText].map(async (text) => read(text(tables))),
  );
  const of = (rows: readonly Row[] | undefined, name: string) => (rows ?? []).filter(([table]) => nameFrom(table) === name);
  return new Map(
    (listed ?? []).map(([table, kind, isPartition]) => {
      const name = nameFrom(table);
      const held = of(indexes, name);
      const key = listOf(held.find((row) => isTrue(row[3]))?.[5]);
      const found: FoundTable = {
        name,
        fault: faultOf(String(kind), isTrue(isPartition)),
        key,
        columns: of(columns, name).map((row) => toColumn(row, key)),
        references: of(references, name).map(toReference),
        indexes: held.filter((row) => !isTrue(row[3])).map((row) => toIndex(name, row)),
        traits: [],
        beyond: [],
      };
      return [name, found] as const;
    }),
  );
}

const kinds: Readonly<Record<string, string>> = { v: "a view", m: "a materialized view", f: "a foreign table" };

function faultOf(kind: string, isPartition: boolean): string | null {
  if (isPartition) return "it is a partition";
  return kinds[kind] === undefined ? null : `it is ${kinds[kind]}`;
}

function toColumn(
  [, name, type, notNull, identity, fill, generated, collation, home, labels]: Row,
  key: readonly string[],
): FoundColumn {
  const column = String(name);
  const isKey = key.includes(column);
  const isCounted = isTrue(identity) || String(fill ?? "").startsWith("nextval(");
  return {
    name: column,
    native: {
      type: String(type),
      // Changes are made in place: what fills it in stays.
      fill: null,
      says: `${String(type)}${isTrue(identity) ? " IDENTITY" : ""}`,
      ...(typeof collation === "string"
        ? { collation: ` COLLATE ${String(home) === "pg_catalog" ? "" : `${quote(String(home))}.`}${quote(collation)}` }
        : {}),
      ...(typeof labels === "string" ? { values: listOf(labels) } : {}),
      ...(isTrue(generated) ? { fixed: "is computed by the database" } : {}),
    },
    optional: !isTrue(notNull) && !isKey,
    counted: isKey && isCounted,
  };
}

function toReference([, tie, columns, table, key, rule]: Row): ReferenceShape {
  return {
    columns: listOf(columns),
    table: nameFrom(table),
    key: listOf(key),
    tie: String(tie),
    ...(rule === "" || rule === null ? {} : { rule: String(rule) }),
  };
}

function toIndex(table: string, [, own, unique, , isPlain, columns, options, isConstraint, method]: Row): FoundIndex {
  // An index stands in the schema of its table.
  const name = tableIn(partsOfTable(table).schema, String(own));
  if (!isTrue(isPlain) || method !== "btree") return { name, columns: null };
  const flags = String(options).split(" ").map(Number);
  return {
    name,
    table,
    columns: listOf(columns).map((column, place) => ({ column, descending: ((flags[place] ?? 0) & 1) === 1 })),
    unique: isTrue(unique),
    where: null,
    found: isTrue(isConstraint) ? "constraint" : "index",
  };
}

function isTrue(value: Row[number] | undefined): boolean {
  return value === 1 || value === "t" || value === "true";
}

function listOf(value: Row[number] | undefined): readonly string[] {
  return typeof value === "string" ? (JSON.parse(value) as string[]) : [];
}
