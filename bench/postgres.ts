/** Ours on PostgreSQL against the hand-written server on it, each with a database of its own on one server that the bench starts. */
import { queryOnce, startPostgres } from "../test/servers/postgres.ts";
import type { Server as DatabaseServer } from "../test/servers/server.ts";
import { createApp } from "../src/index.ts";
import { measured } from "./backend.ts";
import { filmPaths, listPaths, type LoadCase, notesTo, streamTo } from "./cases.ts";
import { type Server, startBaselinePostgres, startOurs } from "./processes.ts";
import { directorsCount, idOf } from "./seed.ts";

const connections = 32;

export const postgresCases: readonly LoadCase[] = [
  {
    case: "pg-get",
    title: "PostgreSQL: get one row by id",
    connections,
    ratio: "share",
    bar: 1.3,
    ours: (servers) => streamTo(servers.ours, filmPaths(servers)),
    baseline: (servers) => streamTo(servers.baseline, filmPaths(servers)),
    call: { op: "get", model: "films", id: idOf(0) },
  },
  {
    case: "pg-list",
    title: "PostgreSQL: list 20 rows: filter, sort, a relation expanded",
    connections,
    ratio: "share",
    bar: 0.9,
    ours: ({ ours }) => streamTo(ours, listPaths),
    baseline: ({ baseline }) => streamTo(baseline, listPaths),
    call: null,
  },
  {
    case: "pg-create",
    title: "PostgreSQL: create durably",
    connections,
    ratio: "share",
    bar: 0.9,
    ours: ({ ours }) => notesTo(ours),
    baseline: ({ baseline }) => notesTo(baseline),
    call: null,
  },
];

export interface Sides {
  readonly ours: Server;
  readonly baseline: Server;
  stop(): Promise<void>;
}

/** Starts a server in the folder, fills it, and starts both sides on it. */
export async function startPostgresSides(bundle: string, folder: string, rows: number): Promise<Sides> {
  const server = await startPostgres({ parent: folder, settings: { shared_buffers: "256MB" } });
  const [mine, theirs] = await seedPostgres(server, rows);
  const ours = await startOurs(bundle, mine, `${folder}/postgres.log`);
  const baseline = await startBaselinePostgres(theirs, `${folder}/postgres-baseline.log`);
  return {
    ours,
    baseline,
    async stop() {
      await ours.stop();
      await baseline.stop();
      await server.stop();
    },
  };
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
