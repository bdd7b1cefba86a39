/** Ours on MariaDB against the hand-written server on it, each with a database of its own on one server that the bench starts. */
import { createApp } from "../src/index.ts";
import { queryMariadb, startMariadb } from "../test/servers/mariadb.ts";
import type { Server as DatabaseServer } from "../test/servers/server.ts";
import { measured } from "./backend.ts";
import { createCase, getCase, type LoadCase } from "./cases.ts";
import { startBaselineMariadb } from "./processes.ts";
import { directorsCount } from "./seed.ts";
import { type Sides, startBoth } from "./sides.ts";

export const mariadbCases: readonly LoadCase[] = [
  getCase({ case: "maria-get", title: "MariaDB: get one row by id", bar: 1.3 }),
  createCase({ case: "maria-create", title: "MariaDB: create durably", bar: 0.9 }),
];

/** Starts a server in the folder, fills it, and starts both sides on it. */
export async function startMariadbSides(bundle: string, folder: string, rows: number): Promise<Sides> {
  const server = await startMariadb({ parent: folder, settings: { "innodb-buffer-pool-size": "256M" } });
  const [url, theirs] = await seedMariadb(server, rows);
  const startBaseline = () => startBaselineMariadb(theirs, `${folder}/mariadb-baseline.log`);
  return startBoth({ server, bundle, log: `${folder}/mariadb.log`, url, startBaseline });
}

async function seedMariadb({ url }: DatabaseServer, rows: number): Promise<[string, string]> {
  const named = (name: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  for (const name of ["ours", "theirs"]) await queryMariadb(url, `create database ${name}`);
  const mine = named("ours");
  const app = await createApp(measured, { database: mine, log: false, secret: "a secret that is for the bench alone" });
  await app.stop();
  const id = (number: string) => `concat('01900000-0000-7000-8000-', lpad(lower(hex(${number})), 12, '0'))`;
  await queryMariadb(
    mine,
    `insert into people (id, name, country, version) select ${id("seq")}, concat('Director ', seq), if(seq % 3 = 0, 'CZ', 'US'), 1
     from seq_0_to_${directorsCount - 1}`,
  );
  // As in seed.ts: spread by a prime, so that neighbours by id are none by price.
  await queryMariadb(
    mine,
    `insert into films (id, title, rating, price, stock, team, director_id, created_at, updated_at, version)
     select ${id("seq")}, concat('Film number ', seq), elt(seq % 4 + 1, 'G', 'PG', 'PG-13', 'R'), ((seq * 7919) % 100000) * 0.01, seq % 50,
     if(seq % 8 < 4, 'red', 'blue'), ${id(`seq % ${directorsCount}`)}, '2026-01-01', '2026-01-01', 1 from seq_0_to_${rows - 1}`,
  );
  for (const table of ["people", "films", "notes"]) {
    await queryMariadb(url, `create table theirs.${table} like ours.${table}`);
    await queryMariadb(url, `insert into theirs.${table} select * from ours.${table}`);
  }
  return [mine, named("theirs")];
}
