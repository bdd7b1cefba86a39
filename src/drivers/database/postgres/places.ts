/** The columns of a constraint that refused a row: the server names only the constraint. */
import type { PoolClient } from "pg";
import type { ServerError } from "./failures.ts";

const text = `select a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_index i on i.indexrelid = c.oid
cross join lateral unnest(i.indkey) with ordinality k(attnum, place) join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where n.nspname = $1 and c.relname = $2 and k.place <= i.indnkeyatts order by k.place`;

/** Empty where the error is no broken uniqueness, or of an index over expressions. */
export async function columnsOf(client: PoolClient, { code, schema, constraint }: ServerError): Promise<readonly string[]> {
  if (code !== "23505" || constraint === undefined) return [];
  const { rows } = await client.query({ text, values: [schema, constraint], rowMode: "array" });
  return rows.map((row) => String(row[0]));
}
