/** What stands behind constraints: the columns of an index that refused a row, and rows whose reference leads nowhere. */
import type { Reader } from "../../ddl.ts";
import type { Session } from "./connections.ts";
import { quote } from "./text.ts";

interface Reference {
  readonly table: string;
  readonly target: string;
  readonly pairs: readonly (readonly [from: string, to: string])[];
}

const referencesText = `select k.constraint_name, k.table_name, k.referenced_table_name, k.column_name, k.referenced_column_name
from information_schema.key_column_usage k
where k.table_schema = database() and k.referenced_table_schema = database()
order by k.table_name, k.constraint_name, k.ordinal_position`;

async function readReferences(read: Reader): Promise<readonly Reference[]> {
  const rows = (await read(referencesText)).map((row) => row.map(String));
  return [...Map.groupBy(rows, ([constraint, table]) => `${table}\n${constraint}`).values()].map((pairs) => {
    const [, table = "", target = ""] = pairs[0] as string[];
    return { table, target, pairs: pairs.map(([, , , from = "", to = ""]) => [from, to] as const) };
  });
}

/** One sentence for each reference that some row breaks: while a migration runs the server does not look. */
export async function findOrphans(read: Reader): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { table, target, pairs } of await readReferences(read)) {
    const given = pairs.map(([from]) => `c.${quote(from)} is not null`).join(" and ");
    const same = pairs.map(([from, to]) => `p.${quote(to)} = c.${quote(from)}`).join(" and ");
    const [row] = await read(
      `select 1 from ${quote(table)} c where ${given} and not exists (select 1 from ${quote(target)} p where ${same}) limit 1`,
    );
    if (row) found.push(`a row of ${table} refers to a row of ${target} that does not exist`);
  }
  return found;
}

// The server names only the index.
const columnsText = `select s.column_name from information_schema.statistics s join information_schema.columns c
  on c.table_schema = s.table_schema and c.table_name = s.table_name and c.column_name = s.column_name and c.is_generated = 'NEVER'
  where s.table_schema = database() and s.table_name = ? and s.index_name = ? order by s.seq_in_index`;

/** In their order; without the column that a condition of the index is kept in. */
export async function columnsOf(session: Session, table: string, index: string): Promise<readonly string[]> {
  const { rows } = await session.ask(columnsText, [table, index]);
  return rows.map(([name]) => String(name as string));
}
