/**
 * Entry of the process that writes for several: joins the writer to a local socket. It outlives those who write, so that the last
 * answer finds its way, and then closes the database. Must stay an entry of its own when bundled.
 */
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { openWriter } from "./connection.ts";
import type { KeeperOrder, WriterTold } from "./writer-child.ts";
import { hearFrames, sendFrame } from "./link/frames.ts";
import type { Batch } from "./messages.ts";
import { Writer } from "./writer/writer.ts";

// A terminal's Ctrl-C and a service manager's stop go to every process at once: this one ends when it is told, or when all are gone.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

process.once("message", (order: KeeperOrder) => {
  if ("serve" in order) serve(order.serve);
});

function serve({ settings, address, folder, broken }: Extract<KeeperOrder, { serve: unknown }>["serve"]): void {
  const connection = openWriter(settings);
  const writer = new Writer({ connection, settings, broken, now: () => performance.now() });
  const sockets = new Set<Socket>();
  let isEnding = false;
  let isTold = broken !== null;

  const server = createServer((socket) => {
    sockets.add(socket);
    const client = writer.join((reply) => {
      sendFrame(socket, reply);
      if (isTold || writer.broken === null) return;
      isTold = true;
      tell({ broken: writer.broken });
    });
    hearFrames(socket, (batch) => writer.receive(client, batch as Batch));
    // Its close follows, and knows what is left to do.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      writer.leave(client);
      if (isEnding) leave();
    });
  });

  function end(): void {
    isEnding = true;
    server.close();
    leave();
  }

  function leave(): void {
    if (sockets.size > 0) return;
    // The last to close copies the log into the file, which is not to be done on a disk that lost a sync.
    if (writer.broken === null) connection.db.close();
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  }

  process.on("message", (order: KeeperOrder) => ("ask" in order ? tell({ isThere: true }) : end()));
  process.on("disconnect", end);
  // What one that was killed has left; on Windows it leaves nothing.
  rmSync(join(folder, "writer"), { force: true });
  server.listen(address, () => tell({ serves: true }));
}

function tell(told: WriterTold): void {
  if (process.connected) process.send?.(told);
}
