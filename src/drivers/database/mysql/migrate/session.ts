/** The connection of a migration: it alone holds the lock of migrations, and waits for the locks of tables for a moment only, again and again. */
import { setTimeout as delay } from "node:timers/promises";
import { failDatabase, type Statement } from "../../../database.ts";
import type { Answer, Connections, Session } from "../connections.ts";
import { isAborted, isLost, isWaited, type ServerError, toError, toRefusal } from "../failures.ts";
import type { MysqlSettings } from "../options.ts";
import { columnsOf } from "../places.ts";
import type { Variant } from "../variants/variant.ts";

export interface Migrating {
  readonly connections: Connections;
  readonly settings: Pick<MysqlSettings, "lockTimeoutMs" | "migrationLockTimeoutMs" | "migrationTriesMax">;
}

/** To change a large table takes its time; the longest that a timer measures is 24 days. */
const statementMsMax = 7 * 86_400_000;

/** Between tries, so that those who queue behind the lock get their turn. */
const pauseMs = 200;

/** Names of locks are the whole server's, and have 64 characters. */
export const lockName = "concat('holdfast ', left(sha2(database(), 256), 40))";

/** The server counts in seconds. */
export const secondsOf = (timeoutMs: number) => Math.ceil(timeoutMs / 1000);

/**
 * Outside of a transaction nothing stays locked, and a question locks no rows even where its answer is written. References are not
 * looked at: what is made with them is proved by a question of its own.
 */
function settingsOf({ sessions }: Variant, { migrationLockTimeoutMs }: Migrating["settings"]): readonly string[] {
  const seconds = secondsOf(migrationLockTimeoutMs);
  return [
    "set session transaction isolation level read committed, read write",
    `set autocommit = 1, foreign_key_checks = 0, ${sessions.limit(0)}, innodb_lock_wait_timeout = ${seconds}, lock_wait_timeout = ${seconds}`,
  ];
}

/** One migration at a time, whatever process it is in. @throws `database_busy` where another holds the lock for longer than is waited */
export async function withMigrationLock<T>(
  { connections, settings }: Migrating,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const outcome = await connections.use("write", async (session) => {
    // Its settings are not those of other work.
    session.retire();
    session.allow(statementMsMax);
    try {
      for (const text of settingsOf(session.variant, settings)) await session.tell(text);
      const { rows } = await session.ask(`select get_lock(${lockName}, ${secondsOf(settings.lockTimeoutMs)})`);
      if (rows[0]?.[0] !== 1) return { error: failDatabase("database_busy", { headers: { "Retry-After": "1" } }) };
    } catch (error) {
      throw toError(error as ServerError, "nothing");
    }
    const result = await work(session).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    // Where the connection is lost the lock is too; else nobody waits until the server has noticed that it is closed.
    await session.tell(`do release_lock(${lockName})`).catch((error: unknown) => {
      if (!("error" in result)) throw toError(error as ServerError, "nothing");
    });
    return result;
  });
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/**
 * Whoever waits for a table's lock holds up everybody behind him: so the wait is short, and the work, which leaves nothing when it is
 * given up, is done anew.
 */
export async function inTries<T>({ settings }: Pick<Migrating, "settings">, work: () => Promise<T>): Promise<T> {
  const { migrationTriesMax: triesMax, migrationLockTimeoutMs } = settings;
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HeldUp)) throw error;
      if (tries >= triesMax) {
        const seconds = migrationLockTimeoutMs / 1000;
        throw failDatabase("migration_blocked", { fields: { tries, seconds }, cause: error.cause });
      }
      await delay(pauseMs * tries);
    }
  }
}

/** A definition as the server takes it. */
export async function spellFor(session: Session, text: string): Promise<string> {
  const { spell } = session.variant.tables;
  return spell === null ? text : spell(text, async (asked, params) => (await session.ask(asked, params)).rows);
}

/** A lock was not to be had, or another transaction stood crosswise. */
class HeldUp extends Error {
  override readonly name = "HeldUp";
}

/** A statement of a migration, `step` its place among others. @throws `UnitRefused` where rows do not fit */
export async function askStep(session: Session, { text, params }: Statement, step: number): Promise<Answer> {
  try {
    return await session.ask(await spellFor(session, text), params);
  } catch (error) {
    const told = error as ServerError;
    if (!isLost(told) && (isAborted(told) || isWaited(told))) throw new HeldUp("a lock was not to be had", { cause: error });
    const columns = (table: string, index: string) => columnsOf(session, table, index);
    throw (await toRefusal(told, { step, text, columnsOf: columns })) ?? toError(told, "nothing");
  }
}
