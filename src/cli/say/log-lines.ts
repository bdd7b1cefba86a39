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
}

/** Takes the log's lines, several at a time. With --json they stand beside the document. */
export function logLines({ json, isInteractive, writeOut, writeErr }: Terminal): (text: string) => void {
  const write = json ? writeErr : writeOut;
  if (!isInteractive) return write;
  return (text) => write(text.trimEnd().split("\n").map(shorten).join(""));
}

function shorten(line: string): string {
  const entry = JSON.parse(line) as Entry;
  const { msg, method, path, status = 0, ms = 0, actor, code, stacks, detail } = entry;
  if (msg !== "request") return `${styleText("red", msg)} ${stacks?.join("\ncaused by ") ?? detail ?? ""}\n`;
  const color = status >= 500 ? "red" : status >= 400 ? "yellow" : "green";
  const tail = [`${ms.toFixed(1)} ms`, actor, code].filter((part) => part !== undefined).join("  ");
  return `${styleText(color, String(status))} ${method} ${path}  ${styleText("dim", tail)}\n`;
}
