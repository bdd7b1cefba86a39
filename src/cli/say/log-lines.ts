/** How the log looks in a terminal: a short line for each request. Anywhere else it stays one JSON object a line. */
import { styleText } from "node:util";
import type { Terminal } from "../terminal.ts";

interface Entry {
  readonly level: string;
  readonly msg: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly actor?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly stacks?: readonly string[];
  readonly worker?: number;
}

/** Takes the log's lines, several at a time. With --json they stand beside the document. */
export function logLines({ json, isInteractive, writeOut, writeErr }: Terminal): (text: string) => void {
  const write = json ? writeErr : writeOut;
  if (!isInteractive) return write;
  return (text) => write(text.trimEnd().split("\n").map(shorten).join(""));
}

/** A pipe takes so many bytes in one piece: more might be cut by what another process writes. */
const pieceMax = 4096;

/** The same for one of several processes that write to one place: each line carries the worker's number, and stays whole. */
export function workerLines(terminal: Terminal, worker: number): (text: string) => void {
  const write = logLines(terminal);
  return (text) => {
    let piece = "";
    for (const line of text.replaceAll("}\n", `,"worker":${worker}}\n`).split(/(?<=\n)/)) {
      if (piece !== "" && Buffer.byteLength(piece) + Buffer.byteLength(line) > pieceMax) {
        write(piece);
        piece = "";
      }
      piece += line;
    }
    write(piece);
  };
}

function shorten(line: string): string {
  const entry = JSON.parse(line) as Entry;
  const { level, msg, method, path, status = 0, ms = 0, actor, code, stacks, detail } = entry;
  const worker = entry.worker === undefined ? undefined : `worker ${entry.worker}`;
  if (msg !== "request") {
    const told = [worker, stacks?.join("\ncaused by ") ?? detail].filter((part) => part !== undefined).join("  ");
    return `${styleText(level === "error" ? "red" : "dim", msg)} ${told}\n`;
  }
  const color = status >= 500 ? "red" : status >= 400 ? "yellow" : "green";
  const tail = [`${ms.toFixed(1)} ms`, actor, code, worker].filter((part) => part !== undefined).join("  ");
  return `${styleText(color, String(status))} ${method} ${path}  ${styleText("dim", tail)}\n`;
}
