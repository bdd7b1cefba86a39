/** Ours on PostgreSQL against the hand-written server on it, each with a database of its own on one server that the bench starts. */
import { queryOnce, startPostgres } from "../test/servers/postgres.ts";
import type { Server as DatabaseServer } from "../test/servers/server.ts";
import { createApp } from "../src/index.ts";
import { measured } from "./backend.ts";
import { createCase, getCase, listPaths, type LoadCase, streamTo } from "./cases.ts";
import { startBaselinePostgres } from "./processes.ts";
import { directorsCount } from "./seed.ts";
import { type Sides, startBoth } from "./sides.ts";

export const postgresCases: readonly LoadCase[] = [
  getCase({ case: "pg-get", title: "PostgreSQL: get one row by id", bar: 1.3 }),
  {
    case: "pg-list",
    title: "PostgreSQL: list 20 rows: filter, sort, a relation expanded",
    connections: 32,
    ratio: "share",
    bar: 0.9,
    ours: ({ ours }) => streamTo(ours, listPaths),
    baseline: ({ baseline }) => streamTo(baseline, listPaths),
    call: null,
  },
  createCase({ case: "pg-create", title: "PostgreSQL: create durably", bar: 0.9 }),
];

/** Starts a server in the folder, fills it, and starts both sides on it. */
export async function startPostgresSides(bundle: string, folder: string, rows: number): Promise<Sides> {
  const server = await startPostgres({ parent: folder, settings: { shared_buffers: "256MB" } });
  const [url, theirs] = await seedPostgres(server, rows);
  const startBaseline = () => startBaselinePostgres(theirs, `${folder}/postgres-baseline.log`);
  return startBoth({ server, bundle, log: `${folder}/postgres.log`, url, startBaseline });
}

async function seedPostgres({ url }: DatabaseServer, rows: number): Promise<[string, string]> {
  const named = (name: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  await queryOnce(url, "create database ours");
  const mine = named("ours");
  const app = await createApp(measured, { database: mine, log: false, secret: "a secret that is for the bench alone" });
  await app.stop();
  const id = (number: string) => `('01900000-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
  await queryOnce(
    mine,
    `insert into people (id, name, country, version) select ${id("n")}, 'Director ' || n, case when n % 3 = 0 then 'CZ' else 'US' end, 1
     from generate_series(0, ${directorsCount - 1}) n`,
  );
  const ratings = "(array['G', 'PG', 'PG-13', 'R'])";
  // As in seed.ts: spread by a prime, so that neighbours by id are none by price.
  await queryOnce(
    mine,
    `insert into films (id, title, rating, price, stock, team, director_id, created_at, updated_at, version)
     select ${id("n")}, 'Film number ' || n, ${ratings}[n % 4 + 1], ((n::bigint * 7919) % 100000) * 0.01, n % 50,
     case when n % 8 < 4 then 'red' else 'blue' end, ${id(`n % ${directorsCount}`)}, '2026-01-01', '2026-01-01', 1
     from generate_series(0, ${rows - 1}) n`,
  );
  await queryOnce(mine, "vacuum analyze");
  await queryOnce(url, "create database theirs template ours");
  return [mine, named("theirs")];
}
