/** Finds rows whose reference leads nowhere, by asking: while a migration runs the server does not look. */
import type { Reader, ReferenceShape } from "../../../ddl.ts";
import { quote } from "../text.ts";

interface Reference {
  readonly table: string;
  readonly target: string;
  readonly pairs: readonly (readonly [from: string, to: string])[];
}

const text = `select k.constraint_name, k.table_name, k.referenced_table_name, k.column_name, k.referenced_column_name
from information_schema.key_column_usage k
where k.table_schema = database() and k.referenced_table_schema = database()
order by k.table_name, k.constraint_name, k.ordinal_position`;

const nothing: ReadonlySet<string> = new Set(["RESTRICT", "NO ACTION"]);

/** What a reference does on delete and update, as definitions say it; empty where it does nothing. */
export function ruleOf(onDelete: string, onUpdate: string): string {
  return `${nothing.has(onDelete) ? "" : ` ON DELETE ${onDelete}`}${nothing.has(onUpdate) ? "" : ` ON UPDATE ${onUpdate}`}`;
}

async function readReferences(read: Reader): Promise<readonly Reference[]> {
  const rows = (await read(text)).map((row) => row.map(String));
  return [...Map.groupBy(rows, ([constraint, table]) => `${table}\n${constraint}`).values()].map((pairs) => {
    const [, table = "", target = ""] = pairs[0] as string[];
    return { table, target, pairs: pairs.map(([, , , from = "", to = ""]) => [from, to] as const) };
  });
}

/** A query whose one value is above 0 where some row leads nowhere. */
export function countOrphans(table: string, { columns, table: target, key }: ReferenceShape): string {
  return `SELECT count(*) FROM (${orphansText({ table, target, pairs: columns.map((column, at) => [column, key[at] as string]) })}) AS found`;
}

function orphansText({ table, target, pairs }: Reference): string {
  const given = pairs.map(([from]) => `c.${quote(from)} is not null`).join(" and ");
  const same = pairs.map(([from, to]) => `p.${quote(to)} = c.${quote(from)}`).join(" and ");
  return `select 1 from ${quote(table)} c where ${given} and not exists (select 1 from ${quote(target)} p where ${same}) limit 1`;
}

/** One sentence for each reference that some row breaks. */
export async function findOrphans(read: Reader): Promise<readonly string[]> {
  const found: string[] = [];
  for (const reference of await readReferences(read)) {
    const [row] = await read(orphansText(reference));
    if (row) found.push(`a row of ${reference.table} refers to a row of ${reference.target} that does not exist`);
  }
  return found;
}
