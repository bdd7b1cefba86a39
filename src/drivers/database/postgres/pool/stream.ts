/** The socket below a client of the library: it sends several messages as one, and is closed when its peer falls silent. */
import type { Client } from "pg";

export interface Stream {
  readonly writable: boolean;
  cork(): void;
  uncork(): void;
  unref(): void;
  destroy(error?: Error): void;
}

export function streamOf(client: Client): Stream {
  return (client as unknown as { readonly connection: { readonly stream: Stream } }).connection.stream;
}

/** Nothing was heard for too long. The code is that of a system whose own patience has ended. */
export class Silence extends Error {
  override readonly name = "Silence";
  readonly code = "ETIMEDOUT";

  constructor(ms: number) {
    super(`the database server has been silent for ${ms} ms`);
  }
}
