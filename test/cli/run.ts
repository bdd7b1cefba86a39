/** Runs command lines in this process, in folders of their own, and the real program in processes. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/run.ts";
import { main } from "../../src/cli/main.ts";

/** The package by its place, since a folder of a test has no node_modules. */
export const holdfast = pathToFileURL(`${root}src/index.ts`).href;

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Folder {
  readonly path: string;
  readonly write: (name: string, text: string) => void;
  readonly run: (...argv: readonly string[]) => Promise<Ran>;
  /** Further variables of programs that run there. @default none */
  readonly env?: Readonly<Record<string, string>>;
}

/** Notes that belong to somebody; staff may delete them. */
export const notesBackend = `import { backend, me, model, or, text } from ${JSON.stringify(holdfast)};
const notes = model("notes", { title: text(), owner: text().default(me).readOnly() })
  .access(({ row, me }) => ({ read: or(row.owner.eq(me.id), me.has("staff")), create: me.signedIn, update: row.owner.eq(me.id), delete: me.has("staff") }))
  .index("owner");
export default backend({ notes });
`;

/** A folder for a test, with a database in it that is not there yet. */
export function openFolder(t: TestContext, files: Readonly<Record<string, string>> = { "backend.ts": notesBackend }): Folder {
  const path = mkdtempSync(join(tmpdir(), "cli-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFileSync(join(path, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write, run: (...argv) => runMain(path, argv) };
}

async function runMain(cwd: string, argv: readonly string[]): Promise<Ran> {
  const written = { out: "", err: "" };
  const code = await main(argv, {
    cwd,
    env: { HOLDFAST_DATABASE_URL: `sqlite:${join(cwd, "data.db")}` },
    clock: () => Date.UTC(2026, 0, 1),
    writeOut: (text) => void (written.out += text),
    writeErr: (text) => void (written.err += text),
    isInteractive: false,
  });
  const { out, err } = written;
  return {
    code,
    out: plain(out),
    err: plain(err),
    get json() {
      return JSON.parse(out) as Ran["json"];
    },
  };
}

/** Text without colours. */
function plain(text: string): string {
  return text.replace(/\u001b\[\d+m/g, "");
}

/** The real program, and what it has said so far. */
export interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Resolves when the pattern was said after the last one that was waited for; fails when the program ends before. */
  readonly said: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Resolves with the exit code when it ends by itself. */
  readonly ended: Promise<number | null>;
  /** Sends a signal and resolves with the exit code. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

export function launch(t: TestContext, folder: Folder, argv: readonly string[]): Running {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, CI: _ci, ...env } = process.env;
  const args = ["--conditions=holdfast-source", `${root}bin/holdfast.mjs`, ...argv];
  const child = spawn(process.execPath, args, {
    cwd: folder.path,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, ...folder.env },
  });
  const state = { text: "", from: 0, isOver: false, heard: Promise.withResolvers<void>() };
  const wake = () => {
    state.heard.resolve();
    state.heard = Promise.withResolvers();
  };
  const ended = once(child, "close").then(([code]) => {
    state.isOver = true;
    wake();
    return code as number | null;
  });
  t.after(() => child.kill("SIGKILL"));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      state.text += plain(chunk.toString());
      wake();
    });
  }

  async function said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(state.text.slice(state.from));
      if (found !== null) {
        state.from += found.index + found[0].length;
        return found;
      }
      if (state.isOver) throw new Error(`it ended before it said ${String(pattern)}:\n${state.text}`);
      await state.heard.promise;
    }
  }

  return {
    child,
    said,
    ended,
    stop(signal: NodeJS.Signals = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}
