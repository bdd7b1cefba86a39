/** Folders in which databases are adopted as a user would: the package installed, the command line run, the file type-checked and served. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { stripVTControlCharacters } from "node:util";
import { pathToFileURL } from "node:url";
import { type App, type AppOptions, createApp } from "holdfast";
import { installed, root, run } from "../../scripts/run.ts";
import { main } from "../../src/cli/main.ts";

/** What answers are made of. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Row = any;

export interface Place {
  readonly path: string;
  /** Runs a command line there. */
  readonly run: (...argv: readonly string[]) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  readonly read: (file: string) => string;
  readonly write: (file: string, text: string) => void;
  /** Serves the backend file of that name. */
  readonly serve: (options: AppOptions & { readonly file?: string }) => Promise<Served>;
  /** Type errors of every file in it. */
  readonly typeErrors: () => Promise<string>;
  readonly remove: () => void;
}

export interface Served {
  readonly app: App<never>;
  /** Asks for JSON with the role `staff`. */
  readonly ask: (
    path: string,
    init?: RequestInit,
  ) => Promise<{ readonly status: number; readonly body: Row; readonly headers: Headers }>;
}

export function createPlace(): Place {
  const path = mkdtempSync(join(tmpdir(), "holdfast-adopt-"));
  mkdirSync(join(path, "node_modules"));
  symlinkSync(root, join(path, "node_modules/holdfast"));
  writeFileSync(join(path, "package.json"), '{ "type": "module" }\n');
  const compilerOptions = { typeRoots: [`${root}node_modules/@types`], noEmit: true };
  writeFileSync(
    join(path, "tsconfig.json"),
    JSON.stringify({ extends: `${root}tsconfig.json`, compilerOptions, include: ["*.ts"] }),
  );
  return {
    path,
    run: (...argv) => runMain(path, argv),
    read: (file) => readFileSync(join(path, file), "utf8"),
    write: (file, text) => writeFileSync(join(path, file), text),
    serve: (options) => serve(path, options),
    async typeErrors() {
      const { code, output } = await run(installed("tsc"), ["-p", path, "--pretty", "false"], { cwd: path, quiet: true });
      return code === 0 ? "" : output;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Runs SQL in a new database file. */
export function makeDatabase(file: string, sql: string): void {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

/** Rows of a query, as arrays. */
export function queryFile(file: string, sql: string): unknown[][] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    return statement.all() as unknown as unknown[][];
  } finally {
    db.close();
  }
}

/** The same backend file with staff allowed to write, but for what is read only. */
export function opened(backend: string): string {
  const open = (model: string) => model.replaceAll('read: me.has("staff")', 'read: me.has("staff"), write: me.has("staff")');
  return backend
    .split(/(?=^export const )/m)
    .map((part) => (part.includes(".view()") ? part : open(part)))
    .join("");
}

async function runMain(cwd: string, argv: readonly string[]) {
  const written = { out: "", err: "" };
  const code = await main(argv, {
    cwd,
    env: {},
    clock: () => Date.UTC(2026, 0, 1),
    writeOut: (text) => void (written.out += text),
    writeErr: (text) => void (written.err += text),
    isInteractive: false,
  });
  return { code, out: stripVTControlCharacters(written.out), err: stripVTControlCharacters(written.err) };
}

async function serve(
  path: string,
  { file = "backend.ts", ...options }: AppOptions & { readonly file?: string },
): Promise<Served> {
  const { default: backend } = (await import(pathToFileURL(join(path, file)).href)) as { default: never };
  const app = (await createApp(backend, { log: false, ...options })) as App<never>;
  const token = await app.mint({ sub: "u", roles: ["staff"], ttlS: 600 });
  return {
    app,
    async ask(at, init = {}) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", ...(init.headers as object) };
      const response = await app.fetch(new Request(`http://localhost/api/${at}`, { ...init, headers }));
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
    },
  };
}

/** The body of an answer that is one. */
export async function answerOf(served: Served, path: string): Promise<Row> {
  const { status, body } = await served.ask(path);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}
