/** The conformance kit of database drivers: one list of cases for the contract in ../database.ts that every driver runs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Database } from "../database.ts";
import { type Case, type KitWords, standardWords } from "./conformance-asks.ts";
import { lifecycleCases } from "./conformance-lifecycle.ts";
import { readCases } from "./conformance-reads.ts";
import { transactionCases } from "./conformance-transactions.ts";
import { repeatCases } from "./conformance-repeats.ts";
import { writeCases } from "./conformance-writes.ts";

/** Opens an empty database that nobody else uses. The kit closes it. */
export type OpenDatabase = () => Database | Promise<Database>;

/** The tables that every case finds. A driver whose column types have other names hands in its own statements. */
export const kitTables: readonly string[] = [
  "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(200) NOT NULL)",
  `CREATE TABLE films (id INTEGER PRIMARY KEY, title VARCHAR(200) NOT NULL, year INTEGER NOT NULL DEFAULT 0, stock INTEGER,
    director INTEGER REFERENCES people (id), UNIQUE (title, year), CONSTRAINT films_stock_min CHECK (stock >= 0))`,
  "CREATE TABLE samples (id INTEGER PRIMARY KEY, big BIGINT, real_number DOUBLE PRECISION, words TEXT, bytes BLOB)",
];

export const databaseCases: readonly Case[] = [
  ...readCases,
  ...writeCases,
  ...repeatCases,
  ...transactionCases,
  ...lifecycleCases,
];

/** The kit as a product speaks it. */
export interface Kit {
  readonly tables: readonly string[];
  /** @default those of the standard */
  readonly words?: KitWords;
}

/** Registers every case as a test under `name`. */
export function testDatabase(name: string, open: OpenDatabase, kit: Kit = { tables: kitTables }): void {
  void describe(`${name} keeps the contract of a database`, () => {
    for (const demand of databaseCases) void test(demand.name, () => runCase(demand, open, kit));
  });
}

/** Runs one case on a database of its own, outside the test runner: how a kit is shown to catch a broken driver. */
export async function runCase(demand: Case, open: OpenDatabase, kit: Kit = { tables: kitTables }): Promise<void> {
  const db = await open();
  try {
    assert.equal(db.state(), "ready");
    await db.migrate(kit.tables.map((text) => ({ text, params: [] })));
    await demand.run(db, kit.words ?? standardWords);
  } finally {
    await db.close();
  }
}
