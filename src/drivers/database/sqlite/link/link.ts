/** The way from a main thread to the writer: a thread of its own, or a process that writes for several. */
import type { Batch, Reply } from "../messages.ts";

export interface Link {
  post(batch: Batch): void;
  /** Whether what is under way keeps this process alive. */
  hold(isHeld: boolean): void;
  /** `last` closes the writer's connection, where nobody else works with it. */
  end(last: () => Promise<unknown>): Promise<void>;
}

export interface LinkEvents {
  readonly hear: (reply: Reply) => void;
  /** The writer is gone, and with it the link. Not called after `end`. */
  readonly lose: (loss: Loss) => void;
}

export interface Loss {
  readonly kind: "worker_died" | "writer_lost";
  readonly message: string;
  /** What was posted may have been done. */
  readonly wasReached: boolean;
  /** It may still be there, but says nothing. */
  readonly isSilent: boolean;
}

export type OpenLink = (events: LinkEvents) => Link;
