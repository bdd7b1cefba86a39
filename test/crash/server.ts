/**
 * A server to be killed: the real app on a file. `early` plants a fault: creates are acknowledged before they are committed.
 * Says over IPC where it listens.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "holdfast";
import { ledgerBackend } from "./backend.ts";

const [, , file, mode = "honest"] = process.argv;
const app = await createApp(ledgerBackend, { database: `sqlite:${file}`, port: 0, log: false });
const { port, url } = await app.start();
const commitAfterMs = 40;

/** Answers as if the row were there, and writes it a moment later. */
function answerEarly(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method = "GET", url: path = "/", headers } = request;
    const asking = {
      method,
      headers: headers as Record<string, string>,
      ...(method === "GET" ? {} : { body: Buffer.concat(chunks) }),
    };
    const write = () => app.fetch(new Request(new URL(path, url), asking)).then((answer) => answer.text());
    setTimeout(() => void write(), commitAfterMs);
    response.writeHead(method === "POST" ? 201 : 200).end("{}");
  });
}

if (mode === "early") {
  const liar = createServer(answerEarly);
  liar.listen(0, "127.0.0.1", () => process.send?.({ port: (liar.address() as AddressInfo).port }));
} else {
  process.send?.({ port });
}
// The test that started it has ended, however it ended.
process.on("disconnect", () => process.exit());
