/** How many transactions of a place wait for another: what each server says of that, at the moment it is asked. */
import type { Place } from "../feed/places.ts";

async function countWaitingPostgres(place: Place): Promise<number> {
  const [row] = await place.query(
    "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and wait_event_type = 'Lock'",
  );
  return Number(row?.[0]);
}

/** Not `INNODB_TRX`: the server makes that anew only when nobody has looked at it for 0.1 s, so who keeps asking sees no change. */
async function countWaitingMariadb(place: Place): Promise<number> {
  const [status] = await place.query("show engine innodb status");
  const own = await place.query("select id from information_schema.processlist where db = database()");
  const threads = new Set(own.map(([id]) => String(id)));
  return waitingThreads(String(status?.[2])).filter((thread) => threads.has(thread)).length;
}

/** There the status leaves out transactions that have only read. */
async function countWaitingMysql(place: Place): Promise<number> {
  const [row] = await place.query(`select count(distinct w.requesting_thread_id) from performance_schema.data_lock_waits w
join performance_schema.threads t on t.thread_id = w.requesting_thread_id where t.processlist_db = database()`);
  return Number(row?.[0]);
}

/** The threads of the transactions that the status tells with `LOCK WAIT`. */
function waitingThreads(status: string): readonly string[] {
  const [, listed = ""] = status.split("LIST OF TRANSACTIONS FOR EACH SESSION:");
  return listed
    .split("---TRANSACTION ")
    .filter((one) => /^LOCK WAIT /m.test(one))
    .map((one) => /^MariaDB thread id (\d+),/m.exec(one)?.[1] ?? "");
}

export const countWaiting = {
  postgres: countWaitingPostgres,
  mariadb: countWaitingMariadb,
  mysql: countWaitingMysql,
} as const satisfies Readonly<Record<string, (place: Place) => Promise<number>>>;
