/** A writer in another process, over a local socket. While none listens it is tried again; what is posted waits meanwhile. */
import { connect, type Socket } from "node:net";
import type { Batch, Reply } from "../messages.ts";
import { encodeFrame, hearFrames } from "./frames.ts";
import type { Link, LinkEvents } from "./link.ts";
import { type Pulse, startPulse } from "./pulse.ts";

export interface SocketLinkOptions {
  /** A path, or on Windows the name of a pipe. */
  readonly address: string;
  /** How long to try until somebody listens. */
  readonly waitMs: number;
  /** How long it may say nothing: while it is waited for, and after it has taken a connection. */
  readonly silenceMs: number;
}

const retryMs = 20;

/** A batch without work is a question, which the writer answers at once. */
const question = encodeFrame({ reset: false, texts: [], jobs: [] } satisfies Batch);

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
  #pulse: Pulse;
  #isSilent = false;

  constructor(options: SocketLinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = this.#connect();
    this.#pulse = this.#listen();
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
    this.#pulse.stop();
    this.#socket.destroy();
  }

  #connect(): Socket {
    this.#timer = null;
    this.#tries++;
    const socket = connect(this.#options.address);
    socket.on("error", (error) => (this.#cause = error.message));
    socket.on("close", () => this.#closed());
    hearFrames(socket, (message) => {
      this.#pulse.heard();
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

  /** Until it is greeted, and while anybody waits, the writer has to say something now and then. */
  #listen(): Pulse {
    const { silenceMs } = this.#options;
    return startPulse({
      silenceMs,
      isDue: () => this.#isHeld || (this.#state === "opening" && this.#timer === null),
      // Whoever has not greeted does so, or never will.
      ask: () => void (this.#state === "open" && this.#socket.write(question)),
      onSilence: () => {
        this.#isSilent = true;
        this.#cause = `the writer has said nothing for ${silenceMs} ms`;
        this.#socket.destroy();
      },
    });
  }

  #closed(): void {
    if (this.#state === "over") return;
    const wasReached = this.#state === "open";
    if (!wasReached && !this.#isSilent && this.#tries * retryMs < this.#options.waitMs) {
      this.#timer = setTimeout(() => this.#connect(), retryMs);
      return this.#apply();
    }
    this.#state = "over";
    this.#pulse.stop();
    this.#events.lose({ kind: "writer_lost", message: this.#cause, wasReached, isSilent: this.#isSilent });
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
