/** Point reads of one shape that come within one tick become one statement: its parameters are arrays, its rows are numbered. */
import { AppError } from "../../../base/errors.ts";
import type { Row, Statement, Value } from "../../database.ts";
import { queryAll, toArrays } from "./arrays.ts";
import type { Query } from "./flight.ts";

export interface Merger {
  /** The statement spells the type of every parameter, and finds at most a few rows. */
  read(statement: Statement): Promise<readonly Row[]>;
}

interface Waiting {
  readonly params: readonly Value[];
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: unknown) => void;
}

export function createMerger(ask: (query: Query) => Promise<readonly Row[]>, mergedMax: number): Merger {
  let waiting = new Map<string, Waiting[]>();

  function flush(): void {
    const due = waiting;
    waiting = new Map();
    for (const [text, all] of due)
      for (let from = 0; from < all.length; from += mergedMax) void send(text, all.slice(from, from + mergedMax));
  }

  async function send(text: string, group: readonly Waiting[]): Promise<void> {
    const params = group.length === 1 ? null : toArrays(group.map((one) => one.params));
    if (params === null) {
      for (const one of group) void sendOne(text, one);
      return;
    }
    try {
      const rows = await ask({ text: mergedText(text), params });
      const found = Map.groupBy(rows, (row) => Number(row[0]));
      for (const [index, { resolve }] of group.entries()) resolve((found.get(index + 1) ?? []).map((row) => row.slice(1)));
    } catch (error) {
      // One of them may be at fault; asked by itself, each has its own answer. A database that is not there is at fault for all.
      const isOwnFault = error instanceof AppError && error.code === "database_failed";
      for (const one of group) if (isOwnFault) void sendOne(text, one);
      for (const { reject } of group) if (!isOwnFault) reject(error);
    }
  }

  async function sendOne(text: string, { params, resolve, reject }: Waiting): Promise<void> {
    await ask({ text, params }).then(resolve, reject);
  }

  return {
    read({ text, params }) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly Row[]>();
      if (waiting.size === 0) setImmediate(flush);
      const group = waiting.get(text);
      if (group) group.push({ params, resolve, reject });
      else waiting.set(text, [{ params, resolve, reject }]);
      return promise;
    },
  };
}

const merged = new Map<string, string>();
const mergedTextsMax = 5_000;

function mergedText(text: string): string {
  const known = merged.get(text);
  if (known !== undefined) return known;
  if (merged.size >= mergedTextsMax) merged.clear();
  const made = queryAll(text);
  merged.set(text, made);
  return made;
}
