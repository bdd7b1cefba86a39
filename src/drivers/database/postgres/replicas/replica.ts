/** One streaming replica: how far it has come, and reads of it that are proved to have at least that. */
import { AppError, reasonOf } from "../../../../base/errors.ts";
import type { Position, ReadOptions, ReplicaState, Row, Statement } from "../../../database.ts";
import { type Admit, type Connections, createConnections, type PgModule } from "../connections.ts";
import { fly } from "../flight.ts";
import type { PostgresSettings } from "../options.ts";
import { createReads, Disproved, type Reads } from "../reads.ts";
import { foreignOf } from "./kinship.ts";
import { positionAt, replayedQuery, toPosition } from "./position.ts";

/** The time between two losses: what is read in it is never older than what was read in it before. */
interface Span {
  readonly connections: Connections;
  readonly reads: Reads;
  /** As far as it has certainly come. */
  replayed: Position;
}

export class Replica {
  readonly #pg: PgModule;
  readonly #settings: PostgresSettings;
  readonly #admit: Admit;
  #span: Span;
  #state: ReplicaState["state"] = "unreachable";
  #answered = 0;
  /** Where the primary was when this one was found behind, and when that was. */
  #target: { readonly position: Position; readonly sinceMs: number } | null = null;
  #closed = false;

  constructor(pg: PgModule, settings: PostgresSettings, admit: Admit) {
    this.#pg = pg;
    this.#settings = settings;
    this.#admit = admit;
    this.#span = startSpan(pg, settings, admit);
  }

  get state(): ReplicaState {
    return { state: this.#state, reads: this.#answered };
  }

  /** Whether it has this and may answer. */
  has(position: Position): boolean {
    return this.#state === "ready" && this.#span.replayed >= position;
  }

  /** Null where the primary is to be asked instead: it has the right answer, and the right error. */
  async read(statement: Statement, options: ReadOptions): Promise<readonly Row[] | null> {
    try {
      const rows = await this.#span.reads.read(statement, options);
      this.#answered++;
      return rows;
    } catch (error) {
      const code = error instanceof AppError ? error.code : "";
      // The primary would take as long.
      if (code === "read_timeout") throw error;
      if (error instanceof Disproved || code === "database_unreachable") this.#noteLoss(error);
      return null;
    }
  }

  /** Asks how far it has come. `reached` is where the primary was a moment ago. */
  async look(reached: Position | null): Promise<void> {
    try {
      const found = await this.#ask();
      if (this.#closed) return;
      // A server that was started anew may be further back than it was: what still waits for it is not for it any more.
      if (found !== null && found < this.#span.replayed) this.#startAnew();
      if (found === null) return this.#note("foreign", "it follows no other server any more");
      this.#span.replayed = found;
      if (this.#isTooFarBehind(reached)) this.#note("behind", "it is too far behind to answer reads");
      else this.#note("ready", "it answers reads");
    } catch (error) {
      // Its connections are all in use: nothing new is known of it.
      if (this.#closed || (error instanceof AppError && error.code === "database_busy")) return;
      this.#startAnew();
      this.#noteLoss(error);
    }
  }

  close(): void {
    this.#closed = true;
    this.#span.connections.close();
  }

  destroy(): void {
    this.#closed = true;
    this.#span.connections.destroy();
  }

  #ask(): Promise<Position | null> {
    const { connections } = this.#span;
    return connections.use("read", async (client) => {
      const { landed, failure } = await fly(client, [replayedQuery], {
        ...connections,
        silenceMs: this.#settings.silenceTimeoutMs,
      });
      if (failure !== null) throw failure.error;
      return positionAt(landed, 0);
    });
  }

  /** Reads that wait for it fail, and the primary answers them. */
  #startAnew(): void {
    this.#span.connections.destroy();
    this.#span = startSpan(this.#pg, this.#settings, this.#admit);
  }

  /** How long it has not got to where the primary was. */
  #isTooFarBehind(reached: Position | null): boolean {
    const { replayed } = this.#span;
    const nowMs = performance.now();
    if (this.#target !== null && replayed >= this.#target.position) this.#target = null;
    if (this.#target === null && reached !== null && replayed < reached) this.#target = { position: reached, sinceMs: nowMs };
    return this.#target !== null && nowMs - this.#target.sinceMs > this.#settings.replicaLagMaxMs;
  }

  #noteLoss(error: unknown): void {
    this.#note(foreignOf(error) === null ? "unreachable" : "foreign", reasonOf(error));
  }

  #note(state: ReplicaState["state"], why: string): void {
    const before = this.#state;
    this.#state = state;
    if (before === state || this.#closed) return;
    this.#settings.onTrouble({ kind: kinds[state], message: `${this.#name()}: ${why}` });
  }

  /** Without user and password. */
  #name(): string {
    return new URL(this.#settings.url).host;
  }
}

const kinds = {
  ready: "replica_found",
  behind: "replica_behind",
  unreachable: "replica_lost",
  foreign: "replica_foreign",
} as const;

function startSpan(pg: PgModule, settings: PostgresSettings, admit: Admit): Span {
  // What becomes of its connections is told by the replica.
  const connections = createConnections(pg, { ...settings, onTrouble: () => {} }, admit);
  const proof = {
    query: replayedQuery,
    start() {
      const known = span.replayed;
      return (rows: readonly Row[]) => {
        const found = toPosition(rows);
        if (found === null || found < known) return false;
        if (found > span.replayed) span.replayed = found;
        return true;
      };
    },
  };
  const span: Span = { connections, reads: createReads(connections, settings, proof), replayed: "" };
  return span;
}
