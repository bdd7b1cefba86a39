/** The connections that are on their way to a worker. */
import type { Worker } from "node:cluster";

interface Handle {
  close(): void;
}

/** What node:cluster says to a worker and hears from it (lib/internal/cluster/utils.js). */
interface Told {
  readonly seq?: number;
  readonly ack?: number;
}

/**
 * Returns what closes them. node:cluster hands a connection over with a message, and keeps its own end of it until the worker says that
 * it has got it. A worker that is killed meanwhile says nothing, and nobody would close the connection: its client would wait for as
 * long as it has patience. Closed, the client knows at once that there is no answer.
 */
export function watchHanded({ process: child }: Worker): () => void {
  const handed = new Map<number, Handle>();
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  Object.assign(child, {
    send(message: Told, handle?: Handle | null, ...rest: unknown[]) {
      if (handle && message.seq !== undefined) handed.set(message.seq, handle);
      return send(message, handle, ...rest);
    },
  });
  child.on("internalMessage" as "message", (message: unknown) => {
    const { ack } = message as Told;
    if (ack !== undefined) handed.delete(ack);
  });
  return () => {
    for (const handle of handed.values()) handle.close();
    handed.clear();
  };
}
