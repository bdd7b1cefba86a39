/** The columns of an index that refused a row: the server names only the index. */
import type { Session } from "./connections.ts";

const text = `select s.column_name from information_schema.statistics s join information_schema.columns c
  on c.table_schema = s.table_schema and c.table_name = s.table_name and c.column_name = s.column_name and coalesce(c.generation_expression, '') = ''
  where s.table_schema = database() and s.table_name = ? and s.index_name = ? order by s.seq_in_index`;

/** In their order; without the column that a condition of the index is kept in. */
export async function columnsOf(session: Session, table: string, index: string): Promise<readonly string[]> {
  const { rows } = await session.ask(text, [table, index]);
  return rows.map(([name]) => String(name as string));
}
