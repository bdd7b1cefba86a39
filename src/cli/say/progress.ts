/** A progress bar of one line, for a person who waits; nothing anywhere else. */
import type { Terminal } from "../terminal.ts";

export interface Progress {
  /** From 0 to 1. */
  readonly show: (done: number) => void;
  readonly end: () => void;
}

const width = 30;

export function createProgress({ isInteractive, json, writeErr }: Terminal, title: string): Progress {
  if (!isInteractive || json) return { show: () => undefined, end: () => undefined };
  return {
    show(done) {
      const full = Math.round(done * width);
      writeErr(`\r${title} ${"█".repeat(full)}${"░".repeat(width - full)} ${Math.floor(done * 100)} %`);
    },
    end: () => writeErr(`\r${" ".repeat(title.length + width + 8)}\r`),
  };
}
