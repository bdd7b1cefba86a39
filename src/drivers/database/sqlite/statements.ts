/** Prepared statements of one connection, kept by their text within a bound; values cross here in the contract's types. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Row, Value } from "../../database.ts";

export interface Statements {
  all(text: string, params: readonly Value[]): readonly Row[];
  /** Runs a statement to its end and tells how many rows it changed. */
  run(text: string, params: readonly Value[]): number;
  /** Whether the statement looks at a whole table that is not small: SQLite's own plan of it, asked for once a text. */
  scans(text: string, scan: "sorted" | "filtered"): boolean;
  /** How many are prepared now. */
  count(): number;
}

export interface StatementOptions {
  /** Statements kept; the one unused for longest makes room. */
  readonly max: number;
  /** Whether a statement may be run a second time to read its integers as bigint: only where nothing can be written. */
  readonly repeatable: boolean;
}

interface Prepared {
  readonly statement: StatementSync;
  /** Its integers are read as bigint: node:sqlite throws on one above 2^53 otherwise. */
  big: boolean;
  usedAt: number;
  /** What its plan says of whole tables; null until somebody asks. */
  plan: { readonly scans: boolean; readonly sorts: boolean } | null;
}

/** A database of fewer pages is looked through in less time than it takes to ask another thread. */
const smallPages = 500;

export function createStatements(db: DatabaseSync, { max, repeatable }: StatementOptions): Statements {
  const byText = new Map<string, Prepared>();
  let uses = 0;

  function prepare(text: string): Prepared {
    let prepared = byText.get(text);
    if (prepared === undefined) {
      const statement = db.prepare(text);
      statement.setReturnArrays(true);
      statement.setReadBigInts(!repeatable);
      prepared = { statement, big: !repeatable, usedAt: 0, plan: null };
      if (byText.size >= max) byText.delete(leastRecent(byText));
      byText.set(text, prepared);
    }
    prepared.usedAt = ++uses;
    return prepared;
  }

  return {
    all(text, params) {
      const prepared = prepare(text);
      const bound = bind(params);
      if (!prepared.big) {
        try {
          return prepared.statement.all(...bound) as unknown as Row[];
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ERR_OUT_OF_RANGE") throw error;
          prepared.big = true;
          prepared.statement.setReadBigInts(true);
        }
      }
      return narrow(prepared.statement.all(...bound) as unknown as Value[][]);
    },
    run: (text, params) => Number(prepare(text).statement.run(...bind(params)).changes),
    scans(text, scan) {
      const prepared = prepare(text);
      prepared.plan ??= planOf(db, text);
      if (!prepared.plan.sorts && !(scan === "filtered" && prepared.plan.scans)) return false;
      const [pages] = prepare("pragma page_count").statement.all() as unknown as number[][];
      return Number(pages?.[0] ?? 0) > smallPages;
    },
    count: () => byText.size,
  };
}

// The details are SQLite's, for people; these two words have stood in them since 3.24.
function planOf(db: DatabaseSync, text: string): { scans: boolean; sorts: boolean } {
  const details = db
    .prepare(`explain query plan ${text}`)
    .all()
    .map((row) => String(row["detail"]));
  return {
    scans: details.some((detail) => /^SCAN (?!CONSTANT)(?!.*VIRTUAL TABLE)/.test(detail)),
    sorts: details.some((detail) => detail.startsWith("USE TEMP B-TREE")),
  };
}

/** A scan, but only when a statement is prepared anew, which costs many times more; a hit then moves nothing. */
function leastRecent(byText: ReadonlyMap<string, Prepared>): string {
  let oldest = "";
  let least = Number.POSITIVE_INFINITY;
  for (const [text, { usedAt }] of byText) {
    if (usedAt < least) [oldest, least] = [text, usedAt];
  }
  return oldest;
}

/**
 * node:sqlite binds every number as a float, so that `json_object('n', ?)` would say 1.0 and `?1 / 2` would not be a division
 * of integers. A whole number is bound as an integer instead.
 */
function bind(params: readonly Value[]): SQLInputValue[] {
  return params.map((value) =>
    typeof value === "number" && Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value,
  );
}

/** Turns the integers that a number holds exactly back into numbers, in place. */
function narrow(rows: Value[][]): readonly Row[] {
  for (const row of rows) {
    for (let index = 0; index < row.length; index++) {
      const value = row[index];
      if (typeof value !== "bigint") continue;
      const number = Number(value);
      if (Number.isSafeInteger(number)) row[index] = number;
    }
  }
  return rows;
}
