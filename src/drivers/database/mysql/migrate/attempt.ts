/** Tries definitions on empty temporary tables that stand before the real ones, on a connection of their own: no row and no table is touched. */
import type { Refused } from "../../../database.ts";
import type { Session } from "../connections.ts";
import { isLost, isServerError, type ServerError, toError } from "../failures.ts";
import { quote } from "../text.ts";
import type { Migrating } from "./session.ts";

/** Temporary tables have no references. */
const refers = /^ALTER TABLE .* (ADD CONSTRAINT .* FOREIGN KEY|DROP FOREIGN KEY) /;
const target = /^(?:ALTER TABLE|CREATE TABLE|DROP TABLE|CREATE (?:UNIQUE )?INDEX "(?:[^"]|"")+" ON) "((?:[^"]|"")+)"/;
const renamed = /^ALTER TABLE "(?:[^"]|"")+" RENAME TO "((?:[^"]|"")+)"$/;
/**
 * Limits of the server: identifiers, keys and their parts, rows, columns and their lengths. What else it says may be of the copy alone,
 * as where a condition names a column with a quote in its name.
 */
const limits = new Set([139, 1059, 1069, 1070, 1071, 1074, 1117, 1118, 1170]);
/** The user may not make temporary tables: then nothing is known beforehand. */
const denied = new Set([1044, 1142, 1227]);

/** What the server refuses of definitions, such as a row that no page holds; null where it takes all. */
export function attempt({ connections }: Pick<Migrating, "connections">, texts: readonly string[]): Promise<Refused | null> {
  return connections.use("write", async (session) => {
    // The tables go with it, and nobody else ever sees them.
    session.retire();
    await session.tell("set autocommit = 1");
    const shadows = await shadow(session, texts);
    if (shadows === null) return null;
    for (const [index, text] of texts.entries()) {
      const refused = await tryOne(session, text, shadows);
      if (refused !== null) return { index, why: refused };
    }
    return null;
  });
}

/** An empty one for each table that is named; null where there may be none. */
async function shadow(session: Session, texts: readonly string[]): Promise<Set<string> | null> {
  const { rows } = await session.ask(
    "select table_name from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE'",
  );
  const { dropChecks } = session.variant.tables;
  const checks = dropChecks === null ? new Map() : await countChecks(session);
  const named = rows.map(([name]) => String(name as string)).filter((name) => texts.some((text) => text.includes(quote(name))));
  try {
    for (const name of named) {
      await session.ask(`CREATE TEMPORARY TABLE "_attempt" LIKE ${quote(name)}`);
      for (const text of dropChecks?.("_attempt", checks.get(name) ?? 0) ?? []) await session.ask(text);
      await session.ask(`ALTER TABLE "_attempt" RENAME TO ${quote(name)}`);
    }
  } catch (error) {
    if (denied.has((error as ServerError).errno ?? 0)) return null;
    throw toError(error as ServerError, "nothing");
  }
  return new Set(named);
}

/** How many CHECK constraints the tables have. */
async function countChecks(session: Session): Promise<ReadonlyMap<string, number>> {
  const text = `select table_name, count(*) from information_schema.table_constraints
where constraint_schema = database() and constraint_type = 'CHECK' group by table_name`;
  return new Map((await session.ask(text)).rows.map(([table, count]) => [String(table as string), Number(count)]));
}

/** Only what is known to stand before a real table is altered. */
async function tryOne(session: Session, text: string, shadows: Set<string>): Promise<string | null> {
  const name = target.exec(text)?.[1]?.replaceAll('""', '"');
  const isNew = text.startsWith("CREATE TABLE");
  if (name === undefined || refers.test(text) || (!isNew && !shadows.has(name))) return null;
  try {
    await session.ask(text.replace(/^(CREATE|DROP) TABLE/, "$1 TEMPORARY TABLE"));
  } catch (error) {
    if (isServerError(error) && limits.has(error.errno ?? 0)) return error.sqlMessage ?? "";
    if (isServerError(error) && !isLost(error)) return null;
    throw toError(error as ServerError, "nothing");
  }
  if (isNew) shadows.add(name);
  const other = renamed.exec(text)?.[1]?.replaceAll('""', '"');
  if (other !== undefined) shadows.add(other);
  if (other !== undefined || text.startsWith("DROP TABLE")) shadows.delete(name);
  return null;
}
