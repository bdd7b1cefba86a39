/** What PostgreSQL's catalogue says of a schema, and what it should say of a table that is as it should be. */
import type { Row } from "../../../database.ts";
import { type Catalogue, type IndexShape, type Reader, type Structure, type Structures, type TableShape } from "../../../ddl.ts";
import { describeTable, toStructure } from "../../structures.ts";
import { literal, shorten } from "../text.ts";
import { readFound } from "./found.ts";
import { ruleText } from "./rules.ts";
import { indexed } from "./indexes.ts";
import { postgresCommits } from "./commits.ts";
import { catalogued } from "./types.ts";
import { inCurrentAnd, inSchemas, nameFrom, nameText, shownText } from "./schemas.ts";
import { shownTable } from "../../../../schema/table-name.ts";

const current = inSchemas();

/** What the product makes none of. */
const strays = (
  here: string,
) => `select case c.relkind when 'm' then 'materialized view ' else 'view ' end || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where ${here} and c.relkind in ('v', 'm') union all select 'trigger ' || t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where ${here} and not t.tgisinternal`;

/**
 * Every definition on a line of its own; the condition of a partial index once more as JSON, for `conditionsIn`. An index that is
 * half built, or a constraint that is not yet proved, is another definition.
 */
export function fingerprint(own: readonly string[], schemas: readonly string[] = []): string {
  const here = inCurrentAnd(schemas);
  // A start compares the text with the one that the journal has: what it says of the current schema stays as it is.
  const place = schemas.length === 0 ? "" : "case when n.nspname = current_schema() then '' else n.nspname || '.' end || ";
  const counts = `(left(c.relname, 1) <> '_' or c.relname in (${own.map(literal).join(", ")}))`;
  const columns = `select ${place}c.relname::text || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || a.attnotnull::text || a.attidentity::text from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where ${here} and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and ${counts}`;
  const fromIndexes = `from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace where ${here} and ${counts}`;
  const indexes = `select pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' INVALID' end ${fromIndexes}`;
  const conditions = `select 'where ' || json_build_array(${place}x.relname, pg_get_expr(i.indpred, i.indrelid))::text ${fromIndexes} and i.indpred is not null`;
  const constraints = `select ${place}c.relname::text || ' ' || pg_get_constraintdef(k.oid) from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace where ${here} and ${counts}`;
  return `(SELECT string_agg(d, chr(10) ORDER BY d COLLATE "C") FROM (${columns} union all ${indexes} union all ${conditions} union all ${constraints} union all ${strays(here)}) a(d))`;
}

/** By the index's name: its condition as the server wrote it when the fingerprint was taken. */
function conditionsIn(text: string): ReadonlyMap<string, string> {
  const lines = [...text.matchAll(/^where (\[.*\])$/gm)].map(([, json]) => JSON.parse(String(json)) as [string, string]);
  return new Map(lines);
}

async function readTables(read: Reader): Promise<readonly string[]> {
  const rows = await read(
    `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${current} and c.relkind in ('r', 'p') order by c.relname collate "C"`,
  );
  return rows.map(([name]) => String(name));
}

const namesOf = (table: string, numbers: string) =>
  `(select string_agg(f.attname, ', ' order by p.place) from unnest(k.${numbers}) with ordinality p(attnum, place) join pg_attribute f on f.attrelid = k.${table} and f.attnum = p.attnum)`;
const columnsText = (
  here: string,
) => `select ${nameText("c")}, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, k.reference
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join lateral (select string_agg(' → ' || ${shownText("t")} || '(' || ${namesOf("confrelid", "confkey")} || ')' || case when array_length(k.conkey, 1) > 1 then ' by (' || ${namesOf("conrelid", "conkey")} || ')' else '' end
    || ${ruleText("k")}, chr(10)) as reference
  from pg_constraint k join pg_class t on t.oid = k.confrelid where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any(k.conkey)) k on true
where ${here} and c.relkind in ('r', 'p') order by c.relname, a.attnum`;
const indexesText = (
  here: string,
) => `select ${nameText("c")}, ${nameText("x")}, i.indisunique, i.indisprimary, pg_get_expr(i.indpred, i.indrelid), a.attname, i.indoption[k.place - 1] & 1
from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
cross join lateral unnest(i.indkey) with ordinality k(attnum, place) left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
where ${here} and k.place <= i.indnkeyatts order by x.relname, k.place`;
async function readStructures(read: Reader, schemas: readonly string[] = []): Promise<Structures> {
  const here = inCurrentAnd(schemas);
  const [columns, indexes, others] = await Promise.all([
    read(columnsText(here)),
    read(indexesText(here)),
    read(`${strays(current)} order by 1`),
  ]);
  const indexesByTable = Map.groupBy(indexes, ([table]) => nameFrom(table));
  const structures = [...Map.groupBy(columns, ([table]) => nameFrom(table))].map(([name, rows]) =>
    structureOf(name, rows, indexesByTable.get(name) ?? []),
  );
  return { tables: new Map(structures.map((one) => [one.name, one])), strays: others.map(([stray]) => String(stray)) };
}

function structureOf(name: string, columns: readonly Row[], indexes: readonly Row[]): Structure {
  const described = columns
    .filter((row) => row[1] !== null)
    .map(([, column, type, notNull, identity, reference]) => {
      const says = `${String(type)}${identity === "" ? "" : " IDENTITY"}${notNull === 1 ? " NOT NULL" : ""}`;
      const ties = String(reference ?? "").split("\n");
      return [String(column), `${says}${ties.toSorted().join("")}`] as const;
    });
  return toStructure(name, described, {
    rows: indexes,
    nameOf: (row) => nameFrom(row[1]),
    columnOf: (row) => String(row[5]),
    isKey: (row) => row[3] === 1,
    describe: describeRows,
  });
}

function describeRows(rows: readonly Row[]): string {
  const [, , unique, , where] = rows[0] as Row;
  const columns = rows.map((row) => ({ column: String(row[5]), descending: row[6] === 1 }));
  return indexText(unique === 1, columns, where === null ? null : String(where));
}

function indexText(unique: boolean, columns: IndexShape["columns"], where: string | null): string {
  const listed = columns.map(({ column, descending }) => `${column}${descending ? " DESC" : ""}`).join(", ");
  return `${unique ? "UNIQUE " : ""}(${listed})${where === null ? "" : ` WHERE ${where}`}`;
}

/** The server rewrites a condition in its own words, which only it knows: they are those of the last migration. */
function describe(table: TableShape, indexes: readonly IndexShape[], last = ""): Structure {
  const conditions = conditionsIn(last);
  const described = indexes.map((one) => {
    const listed = indexed(one, table).map(({ column, descending }) => ({ column: shorten(column), descending }));
    const where = one.where === null ? null : (conditions.get(shownTable(shorten(one.name))) ?? "…");
    return [shorten(one.name), indexText(one.unique, listed, where)] as const;
  });
  return describeTable(table, described, {
    shorten,
    typeOf: (column) => `${catalogued(column)}${column.serial ? " IDENTITY" : ""}`,
  });
}

// Of a table that nobody has counted yet, the pages are known.
const sizesText = (
  here: string,
) => `select ${nameText("c")}, ((case when c.reltuples >= 0 and c.relpages > 0 then c.reltuples / c.relpages else 80 end) * (pg_relation_size(c.oid) / current_setting('block_size')::integer))::bigint
from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${here} and c.relkind in ('r', 'p')`;

async function readSizes(read: Reader, schemas: readonly string[] = []): Promise<ReadonlyMap<string, number>> {
  const rows = await read(sizesText(inCurrentAnd(schemas)));
  return new Map(rows.map(([name, count]) => [nameFrom(name), Number(count)]));
}

const unprovedText = (
  here: string,
) => `select ${shownText("c")}, pg_get_constraintdef(k.oid) from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where ${here} and not k.convalidated and left(c.relname, 1) <> '_' order by 1, 2`;
const unfitText = (here: string) =>
  `select ${shownText("x")} from pg_index i join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = x.relnamespace where ${here} and not i.indisvalid order by 1`;

async function verify(read: Reader, schemas: readonly string[] = []): Promise<readonly string[]> {
  const here = inCurrentAnd(schemas);
  const [unproved, unfit] = await Promise.all([read(unprovedText(here)), read(unfitText(here))]);
  return [
    ...unproved.map((row) => `nobody has proved of the rows of ${row.map(String).join(": ")}`),
    ...unfit.map((row) => `the index ${row.map(String).join()} is half built`),
  ];
}

export const catalogue: Catalogue = Object.freeze({
  readTables,
  readStructures,
  readFound,
  describe,
  readSizes,
  verify,
  commits: postgresCommits,
});
