/** Notices records that were written on another server, as after a dump was restored here, and lets those of this one come after them. */
import { AppError } from "../../../../base/errors.ts";
import { type Database, failDatabase } from "../../../database.ts";
import type { CommitOrder, Reader } from "../../../ddl.ts";
import { createCommits } from "./commits.ts";

/** Where the records are: names, and how they are quoted, with their place. */
export interface Records {
  readonly quote: (name: string) => string;
  readonly table: string;
  readonly column: string;
}

export interface Origin {
  readonly commits: CommitOrder;
  /** The order was set right just now. */
  readonly isMended: boolean;
}

interface Found {
  readonly ahead: bigint;
  /** The highest number that is there and cannot be this server's; null where there is none. */
  readonly foreign: bigint | null;
}

/**
 * Finds the order of the records. A number that no transaction of this server has had yet is another server's: new records would
 * come before that one, and it would not be read for as long. So from then on as much is added to the numbers of this server, which
 * leaves the old records, and every position that a reader has kept, as they are.
 * @throws database_restored where this user may not set it right
 */
export async function findOrigin(database: Database, records: Records): Promise<Origin> {
  const found = await look(async (text, params = []) => database.read({ text, params }), records);
  if (found.foreign === null) return { commits: createCommits(found.ahead), isMended: false };
  return mend(database, records);
}

/** Whoever comes second finds it done. */
async function mend(database: Database, records: Records): Promise<Origin> {
  if (database.migrator === undefined) throw failDatabase("database_restored");
  return database.migrator(async (migrator) => {
    const reader: Reader = (text, params = []) => migrator.read({ text, params });
    const { ahead, foreign } = await look(reader, records);
    if (foreign === null) return { commits: createCommits(ahead), isMended: false };
    const commits = createCommits(foreign + 1n);
    const { quote, table, column } = records;
    const text = `alter table ${quote(table)} alter column ${quote(column)} set default ${commits.column.fill}`;
    await migrator.together([{ text, params: [] }]).catch((error: unknown) => {
      const code = error instanceof AppError ? (error.cause as { readonly code?: string } | undefined)?.code : undefined;
      throw code === notOwner ? failDatabase("database_restored", { cause: error }) : error;
    });
    return { commits, isMended: true };
  });
}

const notOwner = "42501";

// The database writes an expression in its own words; of ours it keeps the number.
const aheadPattern = /\+ '?(\d{1,19})'?/;

async function look(read: Reader, { quote, ...names }: Records): Promise<Found> {
  const [table, column] = [quote(names.table), quote(names.column)];
  const [fill] = await read(
    `select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where a.attrelid = to_regclass(?) and a.attname = ?`,
    [table, names.column],
  );
  // There are no records yet, or they have no such column.
  if (fill === undefined) return { ahead: 0n, foreign: null };
  const ahead = BigInt(aheadPattern.exec(String(fill[0]))?.[1] ?? 0);
  const [row] = await read(
    `select (select ${column}::text from ${table} order by ${column} desc limit 1), pg_snapshot_xmax(pg_current_snapshot())::text`,
  );
  const [last = null, next = null] = row ?? [];
  if (last === null || next === null) return { ahead, foreign: null };
  // What can be seen was committed by a transaction below the snapshot's upper end.
  return { ahead, foreign: BigInt(String(last)) < BigInt(String(next)) + ahead ? null : BigInt(String(last)) };
}
