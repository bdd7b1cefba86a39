/** A bounded pool of connections: who waits does so for a limited time, and what is lost or given up is closed at once. */
import type { Client } from "pg";
import { failDatabase } from "../../../database.ts";
import { streamOf } from "./stream.ts";

export interface PoolSpec {
  readonly open: () => Promise<Client>;
  readonly max: number;
  readonly waitersMax: number;
  /** What one too many is told. */
  readonly fullCode: "database_busy" | "transaction_queue_full";
  /** How long somebody waits for a free one. */
  readonly waitMs: number;
  /** Hears of one that ended while nobody used it, and of somebody who waited in vain. */
  readonly onDoubt: () => void;
}

interface Waiter {
  readonly resolve: (client: Client) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** One that nobody has used for so long is closed. */
const idleMs = 30_000;
const goodbyeMs = 500;

export class Pool {
  readonly #spec: PoolSpec;
  readonly #all = new Set<Client>();
  readonly #idle = new Map<Client, NodeJS.Timeout>();
  readonly #waiters = new Set<Waiter>();
  // Those that are being opened count, though there is no client yet.
  #opening = 0;
  #ended = false;

  constructor(spec: PoolSpec) {
    this.#spec = spec;
  }

  /** @throws database_busy where none gets free in time, the code for too many who wait, database_closed, and what opening one fails with */
  async acquire(): Promise<Client> {
    if (this.#ended) throw failDatabase("database_closed");
    const last = [...this.#idle.keys()].at(-1);
    if (last === undefined) return this.#wait();
    clearTimeout(this.#idle.get(last));
    this.#idle.delete(last);
    return last;
  }

  /** One that is not sound is closed at once, whatever it is doing. */
  release(client: Client, isSound: boolean): void {
    // It may be gone already.
    if (!this.#all.has(client)) return;
    if (isSound && streamOf(client).writable) this.#hand(client);
    else this.#drop(client);
  }

  /** Closes those that nobody uses. */
  clear(): void {
    for (const client of this.#idle.keys()) this.#drop(client);
  }

  /** Nobody answers: closes those that nobody uses, and refuses those who wait. */
  giveUp(): void {
    this.clear();
    for (const waiter of this.#waiters) this.#settle(waiter).reject(refuse("database_unreachable"));
  }

  /** Says goodbye on those that nobody uses now, and on the others when they are given back. */
  end(): void {
    this.#ended = true;
    for (const client of this.#idle.keys()) this.#close(client);
  }

  /** Closes all at once, and refuses those who wait. */
  destroy(): void {
    this.#ended = true;
    for (const waiter of this.#waiters) this.#settle(waiter).reject(failDatabase("database_closed"));
    for (const client of this.#all) this.#drop(client);
  }

  #wait(): Promise<Client> {
    const { waitersMax, waitMs, fullCode } = this.#spec;
    if (this.#waiters.size >= waitersMax) return Promise.reject(refuse(fullCode));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(waiter).reject(refuse("database_busy"));
        this.#spec.onDoubt();
      }, waitMs);
      const waiter: Waiter = { resolve, reject, timer };
      this.#waiters.add(waiter);
      this.#serveNext();
    });
  }

  /** Opens a connection for those who wait, where there is room. */
  #serveNext(): void {
    if (this.#waiters.size <= this.#opening || this.#all.size + this.#opening >= this.#spec.max) return;
    this.#open().then(
      (client) => this.#hand(client),
      (error: unknown) => {
        const [first] = this.#waiters;
        if (first) this.#settle(first).reject(error);
        this.#serveNext();
      },
    );
  }

  async #open(): Promise<Client> {
    this.#opening++;
    try {
      const client = await this.#spec.open();
      this.#all.add(client);
      // Without a listener the loss of a connection would be the end of the process.
      client.on("error", () => {
        const wasIdle = this.#idle.has(client);
        this.#drop(client);
        if (wasIdle && !this.#ended) this.#spec.onDoubt();
      });
      return client;
    } finally {
      this.#opening--;
    }
  }

  /** Gives a connection to who waits longest, or keeps it. */
  #hand(client: Client): void {
    const [first] = this.#waiters;
    if (first) return this.#settle(first).resolve(client);
    if (this.#ended) return this.#close(client);
    this.#idle.set(client, setTimeout(() => this.#close(client), idleMs).unref());
  }

  #settle(waiter: Waiter): Waiter {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
    return waiter;
  }

  #forget(client: Client): void {
    this.#all.delete(client);
    clearTimeout(this.#idle.get(client));
    this.#idle.delete(client);
  }

  #drop(client: Client): void {
    this.#forget(client);
    streamOf(client).destroy();
    this.#serveNext();
  }

  /** Says goodbye; a server that does not hear it is not waited for. */
  #close(client: Client): void {
    this.#forget(client);
    const giveUp = setTimeout(() => streamOf(client).destroy(), goodbyeMs).unref();
    client.once("end", () => clearTimeout(giveUp));
    streamOf(client).unref();
    void client.end();
  }
}

function refuse(code: PoolSpec["fullCode"] | "database_unreachable"): Error {
  return failDatabase(code, { headers: { "Retry-After": "1" } });
}
