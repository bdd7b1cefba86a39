/** What goes over a local socket and comes back is the same, to the sign of zero, however the bytes are cut. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { encodeFrame, hearFrames } from "./frames.ts";

/** Both ends of a local socket. */
async function openPair(t: TestContext): Promise<readonly [Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), "frames-"));
  const address = process.platform === "win32" ? `\\\\.\\pipe\\frames-${process.pid}` : join(folder, "socket");
  const server = createServer().listen(address);
  await once(server, "listening");
  const near = connect(address);
  const [far] = (await once(server, "connection")) as [Socket];
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return [near, far];
}

const messages: readonly unknown[] = [
  { answers: [], counts: { commits: 0 } },
  ["", "é", "日本", "𝒜", "\ud800", 'a "quoted" \\ word', "\u0000\n\u2028", "x".repeat(200_000)],
  [null, true, false, 0, -1, 0.1, 1e308, 5e-324, Number.MAX_SAFE_INTEGER],
  [-0],
  [Number.NaN, Number.POSITIVE_INFINITY],
  [2n ** 63n - 1n, 2n ** 53n],
  [new Uint8Array([0, 255, 10]), new Uint8Array(0)],
  [[undefined, { step: 1, column: 2 }]],
  { deep: { er: [{ value: new Uint8Array([1]) }] } },
];

describe("frames", () => {
  test("bring every kind of value as it was, in whatever pieces the bytes come", async (t) => {
    const [near, far] = await openPair(t);
    const heard: unknown[] = [];
    hearFrames(far, (message) => heard.push(message));
    const bytes = Buffer.concat(messages.map(encodeFrame));
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3) % 4_999) {
      near.write(bytes.subarray(at, at + size));
      if (at < 2_000) await new Promise(setImmediate);
    }
    while (heard.length < messages.length) await new Promise(setImmediate);
    assert.deepEqual(heard, messages);
    assert.ok(Object.is((heard[3] as number[])[0], -0));
  });
});
