/** Makes the database that both servers measure on: the tables as Holdfast lays them out, filled by plain SQL. */
import { DatabaseSync } from "node:sqlite";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { createApp } from "../src/index.ts";
import { measured } from "./backend.ts";

export const directorsCount = 1_000;
export const ratings = ["G", "PG", "PG-13", "R"] as const;

/** The id of the n-th row. */
export function idOf(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
}

/** Creates `folder`/ours.db and the same as baseline.db, with `rows` films. */
export async function seed(folder: string, rows: number): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const ours = `${folder}/ours.db`;
  const app = await createApp(measured, { database: `sqlite:${ours}`, log: false });
  await app.stop();
  const db = new DatabaseSync(ours);
  db.exec("PRAGMA synchronous = OFF; BEGIN");
  const person = db.prepare("insert into people (id, name, country, version) values (?, ?, ?, 1)");
  for (let n = 0; n < directorsCount; n++) person.run(idOf(n), `Director ${n}`, n % 3 === 0 ? "CZ" : "US");
  for (const table of ["films", "open_films"]) fill(db, table, rows);
  db.exec("COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  copyFileSync(ours, `${folder}/baseline.db`);
}

function fill(db: DatabaseSync, table: string, rows: number): void {
  const insert = db.prepare(
    `insert into ${table} (id, title, rating, price, stock, team, director_id, created_at, updated_at, version)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`,
  );
  const at = "2026-01-01T00:00:00.000Z";
  for (let n = 0; n < rows; n++) {
    // Spread by a prime, so that neighbours by id are none by price.
    const price = (n * 7_919) % 100_000;
    const rating = ratings[n % 4] as string;
    insert.run(idOf(n), `Film number ${n}`, rating, price, n % 50, n % 8 < 4 ? "red" : "blue", idOf(n % directorsCount), at, at);
  }
}
