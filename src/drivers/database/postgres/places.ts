/** The columns of a constraint that refused a row: the server names only the constraint. */
import type { Client } from "pg";
import type { ServerError } from "./failures.ts";
import { type Flight, fly } from "./flight.ts";

const text = `select a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_index i on i.indexrelid = c.oid
cross join lateral unnest(i.indkey) with ordinality k(attnum, place) join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where n.nspname = ? and c.relname = ? and k.place <= i.indnkeyatts order by k.place`;

/** Empty where the error is no broken uniqueness, or of an index over expressions, or nobody is there to be asked any more. */
export async function columnsOf(
  client: Client,
  { code, schema, constraint }: ServerError,
  flight: Flight,
): Promise<readonly string[]> {
  if (code !== "23505" || schema === undefined || constraint === undefined) return [];
  const { landed } = await fly(client, [{ text, params: [schema, constraint] }], flight);
  return landed[0]?.rows.map((row) => String(row[0])) ?? [];
}
