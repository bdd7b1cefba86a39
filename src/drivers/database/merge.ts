/** Point reads of one shape that come within one tick become one statement, whose rows are numbered. */
import { AppError } from "../../base/errors.ts";
import type { Row, Statement, Value } from "../database.ts";

export interface Merger {
  /** The statement spells the type of every parameter, and finds at most a few rows. */
  read(statement: Statement): Promise<readonly Row[]>;
}

export interface Merging<Q> {
  readonly ask: (query: Statement | Q) => Promise<readonly Row[]>;
  /** One query for all these parameters, each row with the number of whose it is, from 1, before its own columns; null where there is none. */
  readonly join: (text: string, all: readonly (readonly Value[])[]) => Q | null;
  /** Reads that may share a statement. */
  readonly mergedMax: number;
}

interface Waiting {
  readonly params: readonly Value[];
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: unknown) => void;
}

/** How many texts are known that only work one by one. */
const singleMax = 1_000;

export function createMerger<Q>({ ask, join, mergedMax }: Merging<Q>): Merger {
  let waiting = new Map<string, Waiting[]>();
  const singles = new Set<string>();

  function flush(): void {
    const due = waiting;
    waiting = new Map();
    for (const [text, all] of due)
      for (let from = 0; from < all.length; from += mergedMax) void send(text, all.slice(from, from + mergedMax));
  }

  async function send(text: string, group: readonly Waiting[]): Promise<void> {
    const isJoined = group.length > 1 && !singles.has(text);
    const query = isJoined
      ? join(
          text,
          group.map(({ params }) => params),
        )
      : null;
    if (query === null) {
      for (const one of group) void sendOne(text, one);
      return;
    }
    try {
      const rows = await ask(query);
      const found = Map.groupBy(rows, (row) => Number(row[0]));
      for (const [index, { resolve }] of group.entries()) resolve((found.get(index + 1) ?? []).map((row) => row.slice(1)));
    } catch (error) {
      const isOwnFault = error instanceof AppError && error.code === "database_failed";
      // A database that is not there is at fault for all.
      if (isOwnFault) await sendEach(text, group);
      else for (const { reject } of group) reject(error);
    }
  }

  /** One of them may be at fault; asked by itself, each has its own answer. Where none is, it is the statement for all of them. */
  async function sendEach(text: string, group: readonly Waiting[]): Promise<void> {
    const sound = await Promise.all(group.map((one) => sendOne(text, one)));
    if (sound.includes(false)) return;
    if (singles.size >= singleMax) singles.clear();
    singles.add(text);
  }

  /** False where it failed. */
  async function sendOne(text: string, { params, resolve, reject }: Waiting): Promise<boolean> {
    try {
      resolve(await ask({ text, params }));
      return true;
    } catch (error) {
      reject(error);
      return false;
    }
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
