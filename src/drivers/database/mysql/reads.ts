/** Reads outside of transactions: point reads of one shape share a statement, long ones are few at a time, lost ones are asked anew. */
import { assert } from "../../../base/errors.ts";
import type { ReadOptions, Row, Statement } from "../../database.ts";
import { createMerger } from "../merge.ts";
import { faultOf } from "../texts.ts";
import { createGate } from "../turns.ts";
import type { Connections, Session } from "./connections.ts";
import { isLost, type ServerError, toError } from "./failures.ts";
import { joinReads } from "./units/joined.ts";
import type { MysqlSettings } from "./options.ts";
import type { Variant } from "./variants/variant.ts";

export interface Reads {
  read(statement: Statement, options?: ReadOptions): Promise<readonly Row[]>;
}

/** A read changes nothing, so it may be asked again on another connection. */
const attemptsMax = 3;

type Outcome = { readonly rows: readonly Row[] } | { readonly error: ServerError };

export function createReads(connections: Connections, settings: MysqlSettings, { collation }: Variant): Reads {
  const gate = createGate(settings.longReadersMax);

  async function ask(statement: Statement, timeoutMs: number): Promise<readonly Row[]> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await connections.use("read", (session) => askOnce(session, statement, timeoutMs));
      if ("rows" in outcome) return outcome.rows;
      if (attempt >= attemptsMax || !isLost(outcome.error)) throw toError(outcome.error, "nothing", timeoutMs);
    }
  }

  async function askOnce(session: Session, { text, params }: Statement, timeoutMs: number): Promise<Outcome> {
    const isOwn = timeoutMs !== settings.readTimeoutMs;
    try {
      session.allow(timeoutMs);
      if (isOwn) await session.tell(`set ${session.variant.sessions.limit(timeoutMs)}`);
      const { rows } = await session.ask(text, params);
      return { rows };
    } catch (error) {
      if (isLost(error as ServerError)) session.retire();
      return { error: error as ServerError };
    } finally {
      if (isOwn)
        await session.tell(`set ${session.variant.sessions.limit(settings.readTimeoutMs)}`).catch(() => session.retire());
    }
  }

  const merger = createMerger<Statement>({
    ask: (statement) => ask(statement, settings.readTimeoutMs),
    join: (text, all) => joinReads(text, all, collation),
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
