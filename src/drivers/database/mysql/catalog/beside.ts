/** The database beside an adopted one, in which the product's own tables and functions stand. */
import type { Place } from "../../../apart.ts";
import type { Connections } from "../connections.ts";
import { addressOf } from "../options.ts";
import { type ServerError, toError } from "../failures.ts";
import { literal, quote, shorten } from "../text.ts";

/** Its name. */
export function besideOf(url: string): string {
  return shorten(`${addressOf(url).database ?? ""}_holdfast`);
}

/** The same server, there. */
export function urlBeside(url: string): string {
  const there = new URL(url);
  there.pathname = `/${encodeURIComponent(besideOf(url))}`;
  return there.href;
}

export function placeBeside(url: string, tables: readonly string[]): Place {
  const schema = besideOf(url);
  return Object.freeze<Place>({
    schema,
    tables: new Set(tables),
    listing: `select table_name from information_schema.tables where table_schema = ${literal(schema)} and table_type = 'BASE TABLE' order by binary table_name`,
    indexGoesBy: "table",
  });
}

const isRefused: ReadonlySet<number | undefined> = new Set([1044, 1045, 1142, 1227]);

/** Makes it where it is missing. @throws what to grant where the user may not */
export async function makeBeside(connections: Connections, url: string): Promise<void> {
  const name = besideOf(url);
  await connections.use("write", async (session) => {
    session.retire();
    const { rows } = await session.ask(`select 1 from information_schema.schemata where schema_name = ${literal(name)}`);
    if (rows.length > 0) return;
    try {
      await session.tell(`create database ${quote(name)} character set utf8mb4 collate ${session.variant.collation}`);
    } catch (error) {
      const { errno, sqlMessage } = error as ServerError;
      if (errno === 1007) return;
      if (!isRefused.has(errno)) throw toError(error as ServerError, "nothing");
      const grant = `GRANT ALL PRIVILEGES ON \`${name.replaceAll("_", "\\_").replaceAll("`", "``")}\`.* TO the user`;
      throw new Error(
        `the product's own tables stand in the database ${name}, which the user may not make (${sqlMessage ?? ""}): ${grant}, or start with --tables-inside`,
        { cause: error },
      );
    }
  });
}
