/** A writer in another process, over a local socket. While none listens it is tried again; what is posted waits meanwhile. */
import { connect, type Socket } from "node:net";
import type { Batch, Reply } from "../messages.ts";
import { encodeFrame, hearFrames } from "./frames.ts";
import type { Link, LinkEvents } from "./link.ts";

export interface SocketLinkOptions {
  /** A path, or on Windows the name of a pipe. */
  readonly address: string;
  /** How long to try until somebody listens. */
  readonly waitMs: number;
}

const retryMs = 20;

export class SocketLink implements Link {
  readonly #options: SocketLinkOptions;
  readonly #events: LinkEvents;
  #socket: Socket;
  #state: "opening" | "open" | "over" = "opening";
  #tries = 0;
  #timer: NodeJS.Timeout | null = null;
  #isHeld = false;
  /** What was posted before anybody listened. */
  #waiting: Buffer[] = [];
  #cause = "the writer's process is gone";

  constructor(options: SocketLinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = this.#connect();
  }

  post(batch: Batch): void {
    const frame = encodeFrame(batch);
    if (this.#state === "open") this.#socket.write(frame);
    else this.#waiting.push(frame);
  }

  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.#apply();
  }

  /** The writer goes on for others; to it this is somebody who has left. */
  async end(): Promise<void> {
    this.#state = "over";
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #connect(): Socket {
    this.#timer = null;
    this.#tries++;
    const socket = connect(this.#options.address);
    socket.on("error", (error) => (this.#cause = error.message));
    socket.on("close", () => this.#closed());
    hearFrames(socket, (message) => {
      this.#open();
      this.#events.hear(message as Reply);
    });
    this.#socket = socket;
    this.#apply();
    return socket;
  }

  /** Once it is greeted: the socket of one that was just killed still takes connections, and nobody reads what is sent to it. */
  #open(): void {
    if (this.#state !== "opening") return;
    this.#state = "open";
    for (const frame of this.#waiting.splice(0)) this.#socket.write(frame);
  }

  #closed(): void {
    if (this.#state === "over") return;
    const wasReached = this.#state === "open";
    if (!wasReached && this.#tries * retryMs < this.#options.waitMs) {
      this.#timer = setTimeout(() => this.#connect(), retryMs);
      return this.#apply();
    }
    this.#state = "over";
    this.#events.lose({ kind: "writer_lost", message: this.#cause, wasReached });
  }

  #apply(): void {
    if (this.#isHeld) {
      this.#socket.ref();
      this.#timer?.ref();
    } else {
      this.#socket.unref();
      this.#timer?.unref();
    }
  }
}
