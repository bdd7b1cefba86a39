/** Reads outside of transactions: point reads of one shape share a round trip, long ones are few at a time, lost ones are asked anew. */
import type { Client } from "pg";
import { assert } from "../../../base/errors.ts";
import type { ReadOptions, Row, Statement } from "../../database.ts";
import { createMerger } from "../merge.ts";
import { faultOf } from "../texts.ts";
import { joinReads } from "./arrays.ts";
import { createGate } from "../turns.ts";
import type { Connections } from "./connections.ts";
import { isLost, isSilent, isStale, type ServerError, toError } from "./failures.ts";
import { fly, type Query, words } from "./flight.ts";
import type { PostgresSettings } from "./options.ts";

export interface Reads {
  read(statement: Statement, options?: ReadOptions): Promise<readonly Row[]>;
}

/** A read changes nothing, so it may be asked again on another connection. */
const attemptsMax = 3;

/** Goes before a read in its packet, and says whether the read may be used. */
export interface Proof {
  readonly query: Query;
  /** Begins before the flight. */
  readonly start: () => (rows: readonly Row[]) => boolean;
}

/** What was asked has not what it had before. */
export class Disproved extends Error {
  override readonly name = "Disproved";
}

export function createReads(connections: Connections, settings: PostgresSettings, proof: Proof | null = null): Reads {
  const gate = createGate(settings.longReadersMax, settings.waitTimeoutMs);

  async function ask(query: Query, timeoutMs: number): Promise<readonly Row[]> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await connections
        .use("read", (client) => askOnce(client, query, timeoutMs))
        .catch((error: unknown): Outcome => {
          if (error instanceof Lost) return { error: error.error };
          throw error;
        });
      if ("rows" in outcome) return outcome.rows;
      const { error } = outcome;
      if (isStale(error)) connections.statements.renew();
      // Whoever was silent has had all the time that there was.
      const isOver = attempt >= attemptsMax || isSilent(error) || !(isStale(error) || isLost(error));
      if (isOver) throw toError(error, "a read", timeoutMs);
    }
  }

  async function askOnce(client: Client, query: Query, timeoutMs: number): Promise<Outcome> {
    const isOwn = timeoutMs !== settings.readTimeoutMs;
    const before = [
      ...(proof === null ? [] : [proof.query]),
      ...(isOwn ? [words("begin read only"), words(`set local statement_timeout to ${timeoutMs}`)] : []),
    ];
    const queries = [...before, query, ...(isOwn ? [words("commit")] : [])];
    const holds = proof?.start();
    const { landed, failure } = await fly(client, queries, { ...connections, silenceMs: timeoutMs + settings.silenceTimeoutMs });
    if (failure === null) {
      if (holds !== undefined && !holds(landed[0]?.rows ?? [])) throw new Disproved();
      return { rows: landed[before.length]?.rows ?? [] };
    }
    if (isLost(failure.error)) throw new Lost(failure.error);
    return { error: failure.error };
  }

  const merger = createMerger<Query>({
    ask: (query) => ask(query, settings.readTimeoutMs),
    join: joinReads,
    mergedMax: settings.mergedMax,
  });

  return {
    read(statement, options) {
      for (const [index, param] of statement.params.entries()) {
        const fault = faultOf(param);
        assert(fault === null, `parameter ${index} ${fault}`);
      }
      if (options?.point === true) return merger.read(statement);
      const timeoutMs = options?.timeoutMs ?? settings.readTimeoutMs;
      return options?.long === true ? gate(() => ask(statement, timeoutMs)) : ask(statement, timeoutMs);
    },
  };
}

type Outcome = { readonly rows: readonly Row[] } | { readonly error: ServerError };

/** Thrown out of a connection's use, so that it is not used again. */
class Lost extends Error {
  readonly error: ServerError;
  constructor(error: ServerError) {
    super("lost");
    this.error = error;
  }
}
