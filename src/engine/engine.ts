/** The engine's face: what protocols, the server-side API and features call. */
import type { Schema } from "../schema/schema.ts";
import type { Soon } from "../base/soon.ts";
import type { Call, Origin, ReadCall, Result } from "./call.ts";
import type { ReadFeed } from "./feed.ts";
import type { WatchFeed } from "./watch.ts";
import type { Limits } from "./limits.ts";
import type { Operation } from "./operation.ts";

/** Milliseconds each stage took, for Server-Timing; a stage answered from the plan cache took 0. */
export interface Timings {
  readonly plan: number;
  readonly guard: number;
  readonly compile: number;
  readonly run: number;
  readonly shape: number;
}

export interface Answer {
  readonly result: Result;
  readonly timings: Timings;
  /** SQL statements that ran for it. */
  readonly statements: number;
  /** Of a write, where there are replicas: the token with which a later read sees it. */
  readonly position?: string | null;
}

/** A stored answer of a keyed request, as the protocol rendered it. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface KeyedCall {
  /** Principal and route. */
  readonly scope: string;
  readonly key: string;
  /** A hash of the request; another one under the same key is refused. */
  readonly fingerprint: string;
  /** Renders the answer, to be stored in the write's own transaction. */
  readonly render: (answer: Answer) => StoredAnswer;
}

export interface Engine {
  readonly schema: Schema;
  readonly limits: Limits;
  /** Every operation there is, for protocols to project: the models' and the backend's actions. */
  readonly operations: ReadonlyMap<string, Operation>;
  /** A read, at once where the database answers at once. @throws AppError from the engine's and the database's tables. */
  read(call: ReadCall, origin: Origin): Soon<Answer>;
  /** Any call. @throws AppError from the engine's and the database's tables. */
  execute(call: Call, origin: Origin): Promise<Answer>;
  /** Executes once per scope and key; a repetition gets the stored answer. */
  executeOnce(
    call: Call,
    origin: Origin,
    keyed: KeyedCall,
  ): Promise<{
    readonly stored: StoredAnswer;
    readonly replayed: boolean;
    readonly answer: Answer | null;
    readonly position?: string | null;
  }>;
  /** Committed changes of all models, hidden fields included: for features, never for answers without a guard of their own. */
  readonly readChanges: ReadFeed;
  /** The same as they are committed, by whatever process. */
  readonly watchChanges: WatchFeed;
}
