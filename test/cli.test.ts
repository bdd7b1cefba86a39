/** The command line: help, exit codes, documents, and what is said of wrong usage and of broken backend files. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../scripts/run.ts";
import { createApp } from "../src/app/app.ts";
import type { Backend } from "../src/engine/backend.ts";
import type { Registry } from "../src/engine/typed.ts";
import { commands, main } from "../src/cli/main.ts";
import { placesOf } from "../src/cli/project/settings.ts";
import { type Folder, holdfast, notesBackend, openFolder } from "./cli/run.ts";

const names = Object.keys(commands);
const page = readFileSync(`${root}docs/reference/cli.md`, "utf8");

/** Opens the app of a folder in this process. */
async function openApp(folder: Folder) {
  const { default: backend } = (await import(pathToFileURL(join(folder.path, "backend.ts")).href)) as {
    default: Backend<Registry>;
  };
  return createApp(backend, { database: `sqlite:${join(folder.path, "data.db")}`, log: false });
}

describe("help", () => {
  test("lists every command, and shows examples and every flag of each", async (t) => {
    const { run } = openFolder(t);
    const { code, out } = await run("--help");
    assert.equal(code, 0);
    for (const name of names) {
      assert.match(out, new RegExp(`^  ${name} `, "m"));
      const help = await run(name, "--help");
      assert.equal(help.code, 0);
      assert.match(help.out, /\nExamples:\n  \$ /);
      assert.match(help.out, /--json/);
      assert.match(help.out, /--debug/);
    }
    assert.equal((await run()).out, out);
    assert.match((await run("help", "token")).out, /--ttl/);
    assert.match((await run("--version")).out, /^\d+\.\d+\.\d+/);
  });

  test("the reference has every command with every flag, and no other", async (t) => {
    const { run } = openFolder(t);
    const sections = new Map(
      page
        .split("\n## ")
        .slice(1)
        .map((text) => [text.split("\n")[0] ?? "", text]),
    );
    assert.deepEqual([...sections.keys()], names);
    for (const name of names) {
      const help = (await run(name, "--help")).out;
      const flags = new Set(
        [...help.matchAll(/^ {2}(?:-\w, )?--([a-z][a-z-]+)/gm)]
          .map(([, flag]) => flag)
          .filter((flag) => !["help", "json", "debug"].includes(flag ?? "")),
      );
      const told = new Set(
        [...(sections.get(name) ?? "").matchAll(/^\|.*\|/gm)].flatMap(([row]) =>
          [...(row.split("|")[1]?.matchAll(/--([a-z][a-z-]+)/g) ?? [])].map(([, flag]) => flag),
        ),
      );
      assert.deepEqual(told, flags, name);
    }
  });
});

describe("wrong usage", () => {
  test("is exit code 2, and says what was meant", async (t) => {
    const { run } = openFolder(t);
    for (const [argv, said] of [
      [["strat"], /unknown command 'strat'[^]*Did you mean start/],
      [["start", "--prot", "1"], /unknown option '--prot'/],
      [["start", "--port", "many"], /--port takes a whole number up to 65535/],
      [["token"], /required option '--sub <id>'/],
      [["token", "--sub", "a", "--ttl", "soon"], /is no duration/],
      [["token", "--sub", "a", "--claim", "org"], /--claim takes name=value/],
      [["migrate", "aply"], /Allowed choices are plan, apply, status, down/],
      [["explain", "--model", "note"], /no model "note"\. Did you mean "notes"/],
      [["explain", "--model", "notes", "--action", "list"], /--action is read, create, update, delete/],
      [["explain", "--model", "notes", "--role", "staff"], /add --sub/],
      [["explain", "--model", "notes", "--action", "create", "--data", "{"], /--data is no JSON/],
    ] as const) {
      const { code, err } = await run(...argv);
      assert.equal(code, 2, `${argv.join(" ")}: ${err}`);
      assert.match(err, said);
    }
  });

  test("is one document with --json", async (t) => {
    const { json, code } = await openFolder(t).run("token", "--sub", "a", "--claim", "org", "--json");
    assert.equal(code, 2);
    assert.equal((json["error"] as { code: string }).code, "usage");
  });
});

describe("a broken backend file", () => {
  const head = `import { backend, model, text } from ${JSON.stringify(holdfast)};\n`;
  for (const [what, files, said] of [
    ["is missing", { "backnd.ts": notesBackend }, /no backend file backend\.ts\. Did you mean "backnd\.ts"/],
    ["has a syntax error", { "backend.ts": `${head}const a = ;\n` }, /backend\.ts:2\n[^]*const a = ;[^]*SyntaxError/],
    [
      "has one in a file that it imports",
      { "backend.ts": 'import "./films.ts";', "films.ts": "\n\nexport const = 1;" },
      /films\.ts:3/,
    ],
    [
      "is CommonJS by its package",
      { "backend.ts": notesBackend, "package.json": '{"type":"commonjs"}' },
      /"type": "module" instead/,
    ],
    ["throws", { "backend.ts": `${head}\nnull.x;\n` }, /backend\.ts:3:6\n {2}TypeError/],
    ["throws a syntax error while it runs", { "backend.ts": '\nJSON.parse("{");' }, /backend\.ts:2:6\n {2}SyntaxError/],
    ["imports what is not there", { "backend.ts": 'import "./gone.ts";' }, /Cannot find module '.*gone\.ts'/],
    ["has an enum", { "backend.ts": "enum A { B }" }, /enum is not supported/],
    ["exports nothing", { "backend.ts": `${head}backend({});` }, /exports no backend as its default\.\n/],
    [
      "exports it by name",
      { "backend.ts": `${head}export const app = backend({});` },
      /exports one as app: write `export default app`/,
    ],
    ["exports models", { "backend.ts": `${head}export default { notes: model("notes", { a: text() }) };` }, /looks like models/],
    ["exports something else", { "backend.ts": "export default 42;" }, /of type number/],
    [
      "has a wrong rule",
      { "backend.ts": notesBackend.replace('index("owner")', 'index("ower")') },
      /notes\.index: notes has no field "ower"\.\n.*Did you mean "owner"/,
    ],
  ] as const) {
    test(`that ${what} is told with its place and mend`, async (t) => {
      const { code, err, out } = await openFolder(t, files).run("check");
      assert.deepEqual([code, out], [1, ""]);
      assert.match(err, said);
      assert.match(err, /→/);
      assert.doesNotMatch(err, /^ {4}at /m);
    });
  }

  test("shows its stack with --debug", async (t) => {
    const { err } = await openFolder(t, { "backend.ts": "null.x;" }).run("check", "--debug");
    assert.match(err, /^ {4}at .*backend\.ts:1:6/m);
  });
});

describe("token", () => {
  test("mints what the app takes, with roles, claims and an end", async (t) => {
    const folder = openFolder(t);
    const { json } = await folder.run(
      "token",
      "--sub",
      "ann",
      "--role",
      "staff",
      "--role",
      "admin",
      "--claim",
      "org=1=2",
      "--ttl",
      "2h",
      "--json",
    );
    assert.deepEqual(
      [json["sub"], json["roles"], json["claims"], json["expiresAt"]],
      ["ann", ["staff", "admin"], { org: "1=2" }, "2026-01-01T02:00:00.000Z"],
    );
    const token = (await folder.run("token", "--sub", "ann")).out.trim();
    const { default: backend } = (await import(pathToFileURL(join(folder.path, "backend.ts")).href)) as {
      default: Backend<Registry>;
    };
    const app = await createApp(backend, {
      database: `sqlite:${join(folder.path, "data.db")}`,
      log: false,
      clock: () => Date.UTC(2026, 0, 1),
    });
    t.after(() => app.stop());
    const ask = (headers: Record<string, string>) => app.fetch(new Request("http://localhost/api/notes", { headers }));
    assert.equal((await ask({ authorization: `Bearer ${token}` })).status, 200);
    assert.equal((await ask({ authorization: `Bearer ${token}x` })).status, 401);
  });
});

describe("explain and migrate", () => {
  test("roles are judged without a database, rows with one", async (t) => {
    const folder = openFolder(t);
    const staff = await folder.run(
      "explain",
      "--model",
      "notes",
      "--action",
      "delete",
      "--sub",
      "sue",
      "--role",
      "staff",
      "--json",
    );
    assert.deepEqual([staff.code, staff.json["outcome"]], [0, "allowed"]);
    assert.ok(!existsSync(join(folder.path, "data.db")));
    const missing = await folder.run(
      "explain",
      "--model",
      "notes",
      "--id",
      "0198b0aa-0000-7000-8000-000000000000",
      "--sub",
      "ann",
    );
    assert.deepEqual([missing.code, /There is no database/.test(missing.err)], [1, true]);
    assert.equal((await folder.run("migrate", "plan")).code, 2);
    assert.ok(!existsSync(join(folder.path, "data.db")), "to look makes no database");
    assert.equal((await folder.run("migrate", "apply")).code, 0);
    assert.equal((await folder.run("migrate", "status", "--json")).json["state"], "current");
    const app = await openApp(folder);
    const note = (await app.system["notes"]?.create({ title: "a", owner: "ann" })) as { id: string };
    await app.stop();
    const asked = ["explain", "--model", "notes", "--action", "update", "--id", note.id] as const;
    assert.match((await folder.run(...asked, "--sub", "ann")).out, /Allowed\.\n  because row\.owner = me\.id/);
    assert.match((await folder.run(...asked, "--sub", "bob")).out, /Not found[^]*because row\.owner = me\.id does not hold/);
    assert.match((await folder.run(...asked)).out, /A stranger[^]*Denied: 401/);
    folder.write("wider.ts", notesBackend.replace("title: text()", "title: text(), more: text().optional()"));
    const behind = await folder.run(...asked, "--sub", "ann", "--backend", "wider.ts");
    assert.deepEqual([behind.code, /holdfast migrate plan/.test(behind.err)], [1, true]);
  });
});

describe("a command that is suggested", () => {
  const narrower = notesBackend.replace("title: text(), ", "");
  const waits = /^LOST|holdfast migrate apply .*$/gm;

  test("names the same backend and database, whoever suggests it", async (t) => {
    const folder = openFolder(t, { "one.ts": notesBackend, "it's two.ts": narrower });
    const here = ["--database", "other.db", "--backend"];
    assert.equal((await folder.run("migrate", "apply", ...here, "one.ts")).code, 0);
    const expected = [`holdfast migrate apply --backend 'it'\\''s two.ts' --database other.db --confirm "drop notes.title"`];
    const plan = await folder.run("migrate", "plan", ...here, "it's two.ts");
    const refused = await folder.run("migrate", "apply", ...here, "it's two.ts");
    const asked = await folder.run("start", "--port", "0", ...here, "it's two.ts");
    assert.deepEqual([plan.code, refused.code, asked.code], [2, 2, 2]);
    for (const said of [plan.out, refused.out, asked.err])
      assert.deepEqual(
        said.match(waits)?.map((line) => line.replace(/`\.$/, "")),
        expected,
      );
  });

  test("shows no password", () => {
    const url = "postgres://me:hunter2@host/name";
    assert.deepEqual(placesOf({ backend: "backend.ts", database: url }), ["--database", "URL"]);
    assert.deepEqual(placesOf({ database: "postgres://host/name" }), ["--database", "postgres://host/name"]);
    assert.deepEqual(placesOf({}), []);
  });
});

test("migrate hears the limits of the database's driver", async (t) => {
  const folder = openFolder(t);
  const surroundings = {
    cwd: folder.path,
    env: { HOLDFAST_DATABASE_LIMITS: "nothingMax=1" },
    clock: Date.now,
    isInteractive: false,
  };
  const said: string[] = [];
  const write = (text: string) => void said.push(text);
  assert.equal(await main(["migrate", "apply"], { ...surroundings, writeOut: write, writeErr: write }), 1);
  assert.match(said.join(""), /no option "?nothingMax/);
});

describe("openapi", () => {
  test("ends quietly when its reader has read enough", (t) => {
    const folder = openFolder(t);
    folder.write("backend.ts", notesBackend);
    const command = `"${process.execPath}" --conditions=holdfast-source "${root}bin/holdfast.mjs" openapi | head -c 1`;
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: folder.path, encoding: "utf8" });
    assert.deepEqual([stdout, stderr], ["{", ""]);
  });

  test("prints the document that the app serves, and needs no database", async (t) => {
    const folder = openFolder(t);
    const { code, json } = await folder.run("openapi");
    assert.deepEqual([code, json["openapi"]], [0, "3.1.0"]);
    assert.ok("/api/notes/{id}" in (json["paths"] as object));
    const written = await folder.run("openapi", "--out", "openapi.json");
    assert.deepEqual([written.code, written.out], [0, ""]);
    assert.deepEqual(JSON.parse(readFileSync(join(folder.path, "openapi.json"), "utf8")), json);
    assert.ok(!existsSync(join(folder.path, "data.db")));
  });
});

describe("backup and restore", () => {
  test("a backup is made while the app runs, and comes back whole", async (t) => {
    const folder = openFolder(t);
    const file = join(folder.path, "data.db");
    const app = await openApp(folder);
    await app.system["notes"]?.create({ title: "kept", owner: "ann" });
    assert.equal((await folder.run("backup", "a.db")).code, 0);
    await app.system["notes"]?.create({ title: "lost", owner: "ann" });
    const again = await folder.run("backup", "a.db", "--json");
    assert.deepEqual([again.code, (again.json["error"] as { code: string }).code], [1, "backup_exists"]);
    assert.deepEqual(await restoreCode(folder, "a.db"), [2, "database_exists"]);
    assert.deepEqual(await restoreCode(folder, "a.db", "--force"), [1, "database_in_use"]);
    await app.stop();
    assert.deepEqual(await restoreCode(folder, "gone.db", "--force"), [1, "backup_unfit"]);
    assert.deepEqual(await restoreCode(folder, "a.db", "--force"), [0, undefined]);
    assert.ok(!existsSync(`${file}.restoring`));
    const reopened = await openApp(folder);
    t.after(() => reopened.stop());
    assert.deepEqual(
      (await reopened.system["notes"]?.list())?.data.map((row) => (row as { title?: string }).title),
      ["kept"],
    );
  });

  test("what is damaged, or of somebody else, is refused and changes nothing", async (t) => {
    const folder = openFolder(t);
    const app = await openApp(folder);
    for (let index = 0; index < 200; index++) await app.system["notes"]?.create({ title: "x".repeat(500), owner: "ann" });
    await folder.run("backup", "a.db");
    await app.stop();
    const before = readFileSync(join(folder.path, "data.db"));
    const damaged = readFileSync(join(folder.path, "a.db"));
    damaged.fill(0x55, 5 * 4096, 9 * 4096);
    writeFileSync(join(folder.path, "damaged.db"), damaged);
    folder.write("text.db", "this is no database, but a text that is long enough to look at".repeat(20));
    mkdirSync(join(folder.path, "other"));
    const { DatabaseSync } = await import("node:sqlite");
    const other = new DatabaseSync(join(folder.path, "other.db"));
    other.exec("CREATE TABLE a (b)");
    other.close();
    for (const file of ["damaged.db", "text.db", "other.db"])
      assert.deepEqual(await restoreCode(folder, file, "--force"), [1, "backup_unfit"], file);
    assert.ok(before.equals(readFileSync(join(folder.path, "data.db"))));
    assert.equal((await folder.run("backup", "b.db", "--database", "gone.db")).code, 1);
  });

  test("every path leads from the folder in which the command runs, whichever way it is given", async (t) => {
    const folder = openFolder(t);
    mkdirSync(join(folder.path, "kept"));
    const here = ["--database", "sqlite:./kept/own.db"] as const;
    const done = async (...argv: readonly string[]) => {
      const { code, out, err } = await folder.run(...argv);
      assert.equal(code, 0, `${argv.join(" ")}: ${out}${err}`);
    };
    await done("migrate", "apply", ...here);
    assert.ok(existsSync(join(folder.path, "kept/own.db")));
    await done("migrate", "status", "--database", "kept/own.db");
    await done("backup", "kept/copy.db", ...here);
    await done("restore", "kept/copy.db", "--database", "kept/other.db");
    assert.ok(existsSync(join(folder.path, "kept/other.db")));
    await done("adopt", "kept/other.db", "--out", "kept/adopted.ts");
    assert.ok(existsSync(join(folder.path, "kept/adopted.ts")));
    const { err } = await folder.run("restore", "kept/copy.db", "--database", "postgres://localhost/a");
    assert.match(err, /Only a file of SQLite is restored/);
  });

  async function restoreCode(folder: Folder, ...argv: readonly string[]): Promise<[number, string | undefined]> {
    const { code, json } = await folder.run("restore", ...argv, "--json");
    return [code, (json["error"] as { code: string } | undefined)?.code];
  }
});
