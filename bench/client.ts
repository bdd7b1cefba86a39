/** The load generator: bare sockets, requests built beforehand, one in flight on each connection. Takes jobs over IPC. */
import { connect, type Socket } from "node:net";

export interface Job {
  readonly port: number;
  /** Whole requests as they go over the wire; each connection starts at another place of the list. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly durationMs: number;
}

export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How much of a core the load generator itself took. */
  readonly clientShare: number;
  /** Answers with another status than 2xx. */
  readonly failures: number;
  /** The first of them. */
  readonly failure: string | null;
}

interface Tally {
  readonly latencies: number[];
  failures: number;
  failure: string | null;
}

const headEnd = Buffer.from("\r\n\r\n");

/** Sends one request after the other on one connection until the time is up. */
function drive(
  job: Job,
  first: number,
  at: { readonly requests: readonly Buffer[]; readonly endMs: number; readonly tally: Tally },
): Promise<void> {
  const { requests, endMs, tally } = at;
  return new Promise((resolve, reject) => {
    let next = first % requests.length;
    let sentMs = 0;
    let waiting = 0;
    let held: Buffer | null = null;
    const socket: Socket = connect({ port: job.port, host: "127.0.0.1", noDelay: true }, send);
    function send(): void {
      sentMs = performance.now();
      if (sentMs >= endMs) {
        socket.destroy();
        return resolve();
      }
      socket.write(requests[next] as Buffer);
      next = next + 1 === requests.length ? 0 : next + 1;
    }
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      if (waiting > 0) {
        waiting -= chunk.length;
      } else {
        held = held === null ? chunk : Buffer.concat([held, chunk]);
        const end = held.indexOf(headEnd);
        if (end < 0) return;
        const head = held.toString("latin1", 0, end);
        waiting = end + headEnd.length + lengthOf(head) - held.length;
        if (held[9] !== 50) fail(tally, held.toString());
        held = null;
      }
      if (waiting > 0) return;
      tally.latencies.push(performance.now() - sentMs);
      send();
    });
  });
}

function lengthOf(head: string): number {
  const start = head.search(/\r\ncontent-length:/i);
  return start < 0 ? 0 : Number.parseInt(head.slice(start + 17, start + 30), 10);
}

function fail(tally: Tally, answer: string): void {
  tally.failures++;
  tally.failure ??= answer;
}

async function run(job: Job): Promise<Load> {
  const requests = job.requests.map((request) => Buffer.from(request));
  const startMs = performance.now();
  const before = process.cpuUsage();
  const tally: Tally = { latencies: [], failures: 0, failure: null };
  const at = { requests, endMs: startMs + job.durationMs, tally };
  const spread = Math.ceil(requests.length / job.connections);
  await Promise.all(Array.from({ length: job.connections }, (_, index) => drive(job, index * spread, at)));
  const seconds = (performance.now() - startMs) / 1_000;
  const sorted = Float64Array.from(tally.latencies).sort();
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const { failures, failure } = tally;
  const { user, system } = process.cpuUsage(before);
  const clientShare = (user + system) / 1_000_000 / seconds;
  return { clientShare, perSecond: sorted.length / seconds, p50Ms: quantile(0.5), p99Ms: quantile(0.99), failures, failure };
}

process.on("message", (job: Job) => {
  void run(job).then(
    (load) => process.send?.(load),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
