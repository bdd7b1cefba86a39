/** What both servers say of tables that somebody else made. MODIFY COLUMN keeps only what it is told, so each column's definition is kept whole. */
import type { Row } from "../../../database.ts";
import type { Reader, ReferenceShape } from "../../../ddl.ts";
import type { FoundColumn, FoundIndex, FoundTable } from "../../../found.ts";
import { isDoubtful } from "../catalog/column-types.ts";
import { literal } from "../text.ts";
import type { CatalogWords } from "../variants/variant.ts";
import { ruleOf } from "./references.ts";

const among = (tables: readonly string[]) => `in (${tables.map(literal).join(", ")})`;
const tablesText = (tables: readonly string[]) =>
  `select table_name, table_type, engine from information_schema.tables where table_schema = database() and table_name ${among(tables)}`;
const columnsText = (
  tables: readonly string[],
) => `select table_name, column_name, column_type, is_nullable, column_default, extra, coalesce(generation_expression, '') <> '', column_comment,
  character_set_name, collation_name, column_key = 'PRI' from information_schema.columns where table_schema = database() and table_name ${among(tables)} order by ordinal_position`;
const checksText = (checks: string) => (tables: readonly string[]) =>
  `select table_name, constraint_name, check_clause from (${checks}) c where of_column = 1 and table_name ${among(tables)}`;
const referencesText = (
  tables: readonly string[],
) => `select k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, k.referenced_table_schema = database(),
  k.referenced_column_name, r.delete_rule, r.update_rule
from information_schema.key_column_usage k join information_schema.referential_constraints r
  on r.constraint_schema = k.constraint_schema and r.constraint_name = k.constraint_name and r.table_name = k.table_name
where k.table_schema = database() and k.referenced_table_name is not null and k.table_name ${among(tables)} order by binary k.constraint_name, k.ordinal_position`;
const indexesText = (
  tables: readonly string[],
) => `select table_name, index_name, non_unique, column_name, sub_part, index_type, collation from information_schema.statistics
where table_schema = database() and table_name ${among(tables)} order by binary index_name, seq_in_index`;

export async function readFound(
  catalog: CatalogWords,
  read: Reader,
  tables: readonly string[],
): Promise<ReadonlyMap<string, FoundTable>> {
  const [listed = [], columns, checks, references, indexes] = await Promise.all(
    [tablesText, columnsText, checksText(catalog.checks), referencesText, indexesText].map(async (text) => read(text(tables))),
  );
  const of = (rows: readonly Row[] | undefined, name: string) => (rows ?? []).filter(([table]) => String(table) === name);
  return new Map(
    listed.map(([table, type, engine]) => {
      const name = String(table);
      const byIndex = Map.groupBy(of(indexes, name), (row) => String(row[1]));
      const ties = [...Map.groupBy(of(references, name), (row) => String(row[1])).values()].map(toReference);
      const ownChecks = new Map(of(checks, name).map((row) => [String(row[1]), String(row[2])]));
      const others = [...byIndex].filter(([index]) => index !== "PRIMARY");
      const found: FoundTable = {
        name,
        fault: faultOf(String(type), String(engine)),
        key: (byIndex.get("PRIMARY") ?? []).map((row) => String(row[3])),
        columns: of(columns, name).map((row) => toColumn(row, catalog, ownChecks.get(String(row[1])))),
        references: ties,
        indexes: others.map(([index, rows]) =>
          toIndex({ index, table: name, isTie: ties.some(({ tie }) => tie === index) }, rows),
        ),
        traits: [],
        beyond: [],
      };
      return [name, found] as const;
    }),
  );
}

function faultOf(type: string, engine: string): string | null {
  if (type === "VIEW") return "it is a view";
  if (type === "SYSTEM VERSIONED") return "it is system versioned";
  return engine === "InnoDB" ? null : `its engine is ${engine}`;
}

function toColumn(row: Row, catalog: CatalogWords, told: string | undefined): FoundColumn {
  const [, name, type, nullable, given, extra, generated, comment, charset, collation, isKey] = row;
  const said = String(extra).toLowerCase();
  const filled = catalog.fill(typeof given === "string" ? given : null, { type: String(type), extra: String(extra) });
  const check = told === undefined ? undefined : catalog.condition(told);
  const isCounted = said.includes("auto_increment");
  const renewal = /on update \S+/.exec(said)?.[0];
  const text = String(comment ?? "");
  const tail = [
    ...(renewal === undefined ? [] : [renewal]),
    ...(said.includes("invisible") ? ["INVISIBLE"] : []),
    ...(text === "" ? [] : [`COMMENT ${literal(text)}`]),
    ...(check === undefined ? [] : [`CHECK (${check})`]),
  ];
  const fixed =
    generated === 1
      ? "is computed by the database"
      : isDoubtful(`${String(type)}${filled?.sql ?? ""}${text}${check ?? ""}`)
        ? "has a ? in its definition, which the catalog also writes for what it cannot write"
        : null;
  return {
    name: String(name),
    native: {
      type: String(type),
      fill: filled?.written ?? null,
      says: `${String(type)}${isCounted ? " AUTO_INCREMENT" : ""}`,
      ...(charset === null || charset === undefined
        ? {}
        : { collation: ` CHARACTER SET ${String(charset)} COLLATE ${String(collation)}` }),
      ...(tail.length === 0 ? {} : { tail: tail.join(" ") }),
      ...(fixed === null ? {} : { fixed }),
    },
    optional: nullable === "YES" && isKey !== 1,
    counted: isCounted && isKey === 1,
  };
}

function toReference(rows: readonly Row[]): ReferenceShape {
  const [, tie, , table, isHere, , onDelete, onUpdate] = rows[0] as Row;
  const rule = ruleOf(String(onDelete), String(onUpdate));
  return {
    columns: rows.map((row) => String(row[2])),
    table: isHere === 1 ? String(table) : `${String(table)} of another database`,
    key: rows.map((row) => String(row[5])),
    tie: String(tie),
    ...(rule === "" ? {} : { rule }),
  };
}

interface Named {
  readonly index: string;
  readonly table: string;
  /** It came with the reference of that name. */
  readonly isTie: boolean;
}

function toIndex({ index, table, isTie }: Named, rows: readonly Row[]): FoundIndex {
  if (rows.some(([, , , column, part, type]) => column === null || part !== null || type !== "BTREE"))
    return { name: index, columns: null };
  return {
    name: index,
    table,
    columns: rows.map((row) => ({ column: String(row[3]), descending: row[6] === "D" })),
    unique: rows[0]?.[2] === 0,
    where: null,
    found: isTie ? "constraint" : "index",
  };
}
