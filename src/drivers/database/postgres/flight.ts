/** A flight: statements that go to the server in one packet, and whose answers come back in order. */
import type { Client } from "pg";
import type { Value } from "../../database.ts";
import { isFollowing, type ServerError } from "./failures.ts";
import type { Ask, Asked, Landed } from "./pool/ask.ts";
import type { Statements } from "./statements.ts";
import { Silence, streamOf } from "./pool/stream.ts";
import { toPositional } from "./text.ts";
import { toSent } from "./values.ts";

export interface Query {
  readonly text: string;
  /** Is asked this once: no connection keeps it prepared. */
  readonly once?: boolean;
  readonly params: readonly (Value | readonly (string | null)[])[];
}

export type { Landed };

export interface Flown {
  readonly landed: readonly Landed[];
  /** The first statement that failed by itself, and why; those after it fail along. */
  readonly failure: { readonly index: number; readonly error: ServerError } | null;
  /** False where the connection was gone before anything was handed to it: the server has seen none of it. */
  readonly sent: boolean;
}

export interface Flight {
  readonly ask: Ask;
  readonly statements: Statements;
  /** Between two answers; a server that is silent for longer has the connection closed under it. */
  readonly silenceMs: number;
  readonly onSilence: () => void;
}

/** Sends all, then waits for all. Never rejects. */
export function fly(
  client: Client,
  queries: readonly Query[],
  { ask, statements, silenceMs, onSilence }: Flight,
): Promise<Flown> {
  const { promise, resolve } = Promise.withResolvers<Flown>();
  const stream = streamOf(client);
  const landed: Landed[] = [];
  let failure: Flown["failure"] = null;
  let left = queries.length;
  if (left === 0) return Promise.resolve({ landed, failure, sent: true });
  if (!stream.writable)
    return Promise.resolve({ landed, failure: { index: 0, error: new Error("the connection is gone") }, sent: false });
  const timer = setTimeout(() => {
    onSilence();
    stream.destroy(new Silence(silenceMs));
  }, silenceMs);
  stream.cork();
  for (const [index, query] of queries.entries()) {
    ask(client, askedOf(query, statements), (answer, error) => {
      if (answer !== null) landed[index] = answer;
      else if (error !== null && (failure === null || (isFollowing(failure.error) && !isFollowing(error))))
        failure = { index, error };
      if (--left > 0) return void timer.refresh();
      clearTimeout(timer);
      resolve({ landed, failure, sent: true });
    });
  }
  stream.uncork();
  return promise;
}

function askedOf({ text, params, once }: Query, statements: Statements): Asked {
  // Without parameters and quotes of its own it is a word to the server, such as begin.
  if (params.length === 0 && text.length < wordsMax) return { name: "", text, values: null };
  const values = params.map((value) => (Array.isArray(value) ? value : toSent(value as Value)));
  const { name, text: positional } = once ? { name: "", text: toPositional(text) } : statements.prepare(text);
  return { name, text: positional, values };
}

const wordsMax = 64;

/** A statement without parameters. */
export function words(text: string): Query {
  return { text, params: [] };
}
