/** The log: one JSON line per event, made by hand and written in batches. Never sees tokens, query values or bodies. */
import type { AppError } from "../base/errors.ts";

export interface Log {
  /** One whole line of JSON, without its line break. */
  line(text: string): void;
  /** Writes what is still held back. */
  flush(): void;
}

const flushAfterMs = 100;
// So many lines stay in the processor's cache: more at a time are slower, not faster.
const flushAtLines = 128;

/** A log that hands several lines at a time to `write`. */
export function createLog(write: (text: string) => void): Log {
  let held = "";
  let lines = 0;
  let timer: NodeJS.Timeout | null = null;
  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (lines === 0) return;
    const text = held;
    held = "";
    lines = 0;
    write(text);
  }
  return {
    line(text) {
      held += `${text}\n`;
      if (++lines >= flushAtLines) flush();
      else timer ??= setTimeout(flush, flushAfterMs).unref();
    },
    flush,
  };
}

/** What is logged of a request. */
export interface RequestEntry {
  readonly timeMs: number;
  readonly requestId: string;
  readonly traceId: string | null;
  readonly method: string;
  readonly path: string;
  readonly operation: string | null;
  readonly actor: string | null;
  readonly status: number;
  /** The problem's code. */
  readonly code: string | null;
  /** Milliseconds as text. */
  readonly ms: string;
}

const pathLengthMax = 512;

/** `time` is in milliseconds since the epoch, `ms` what the request took. */
export function requestLine(entry: RequestEntry): string {
  const { timeMs, requestId, traceId, method, path, operation, actor, status, code, ms } = entry;
  const optional =
    (operation === null ? "" : `,"operation":"${operation}"`) +
    (actor === null ? "" : `,"actor":${JSON.stringify(actor)}`) +
    (code === null ? "" : `,"code":"${code}"`) +
    (traceId === null ? "" : `,"traceId":"${traceId}"`);
  const shown = JSON.stringify(path.length > pathLengthMax ? path.slice(0, pathLengthMax) : path);
  const level = status >= 500 ? "error" : "info";
  return `{"time":${timeMs},"level":"${level}","msg":"request","requestId":"${requestId}","method":"${method}","path":${shown},"status":${status},"ms":${ms}${optional}}`;
}

/** The line of a failure on our side, with every stack of its chain of causes. */
export function failureLine(timeMs: number, requestId: string, error: AppError): string {
  const stacks: string[] = [];
  for (let at: unknown = error; at !== undefined && stacks.length < causesMax; at = at instanceof Error ? at.cause : undefined) {
    stacks.push(at instanceof Error ? (at.stack ?? at.message) : `${typeof at} was thrown`);
  }
  return JSON.stringify({ time: timeMs, level: "error", msg: "failure", requestId, code: error.code, stacks });
}

const causesMax = 5;

/** Something that happened beside the requests. */
export interface EventEntry {
  readonly timeMs: number;
  readonly level: "info" | "warn" | "error";
  readonly event: string;
  readonly message: string;
}

export function eventLine({ timeMs, level, event, message }: EventEntry): string {
  return JSON.stringify({ time: timeMs, level, msg: event, detail: message });
}
