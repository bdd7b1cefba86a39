/** `start` and `dev` as real processes: what they print, how they restart, and how they end. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { launch, notesBackend, openFolder } from "./cli/run.ts";

interface Started {
  readonly url: string;
  readonly api: string;
  readonly token: string;
  readonly schema: { readonly status: string };
}

/** Reads the one document that a program prints. */
async function readDocument(running: ReturnType<typeof launch>): Promise<Started> {
  const [text] = await running.said(/^\{\n[^]*?\n\}\n/m);
  return JSON.parse(text) as Started;
}

async function ask(started: Started, body?: unknown): Promise<{ readonly status: number; readonly json: unknown }> {
  const headers = { authorization: `Bearer ${started.token}`, "content-type": "application/json" };
  const response = await fetch(
    `${started.api}/notes`,
    body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) },
  );
  return { status: response.status, json: await response.json() };
}

describe("start", () => {
  test("makes the database, serves with the token that it prints, and ends at a signal", async (t) => {
    const folder = openFolder(t);
    const first = launch(t, folder, ["start", "--port", "0", "--json", "--database", "deep/er/notes.db"]);
    const started = await readDocument(first);
    assert.equal(started.schema.status, "created");
    assert.equal((await ask(started, { title: "Milk" })).status, 201);
    assert.equal(await first.stop(), 0);
    assert.ok(!existsSync(join(folder.path, "deep/er/notes.db-wal")), "the log is in the database when it stops");
    const second = launch(t, folder, ["start", "--port", "0", "--json", "--database", "sqlite:deep/er/notes.db"]);
    const again = await readDocument(second);
    assert.equal(again.schema.status, "unchanged");
    const { json } = await ask({ ...again, token: started.token });
    assert.equal((json as { data: unknown[] }).data.length, 1, "a token outlives the process");
    assert.equal(await second.stop("SIGINT"), 0);
  });

  test("says in text where it is, and what a person may paste", async (t) => {
    const running = launch(t, openFolder(t), ["start", "--port", "0"]);
    const [, api] = await running.said(/API +(http:\/\/localhost:\d+\/api)/);
    await running.said(/Docs +http:\/\/localhost:\d+\/docs/);
    const [, token] = await running.said(/^TOKEN=(\S+)$/m);
    await running.said(/^curl http:\S+\/api\/notes -H "Authorization: Bearer \$TOKEN"$/m);
    assert.equal((await fetch(`${api}/notes`, { headers: { authorization: `Bearer ${token}` } })).status, 200);
    await running.stop();
  });

  test("refuses what it must, with the exit code of its kind", async (t) => {
    const folder = openFolder(t);
    const secretless = launch(t, folder, ["start", "--mode", "production"]);
    await secretless.said(/production needs a secret/);
    assert.equal(await secretless.ended, 1);
    assert.equal((await folder.run("migrate", "apply", "--database", join(folder.path, "data.db"))).code, 0);
    folder.write("backend.ts", notesBackend.replace("title: text(), ", ""));
    const asking = launch(t, folder, ["start", "--port", "0"]);
    await asking.said(/LOST: All values of notes\.title[^]*holdfast migrate apply --confirm "drop notes\.title"/);
    assert.equal(await asking.ended, 2);
  });

  test("says that a port is taken", async (t) => {
    const folder = openFolder(t);
    const first = launch(t, folder, ["start", "--port", "0", "--json"]);
    const { url } = await readDocument(first);
    const second = launch(t, folder, ["start", "--port", new URL(url).port]);
    await second.said(/port \d+ is taken/i);
    assert.equal(await second.ended, 1);
    await first.stop();
  });
});

describe("dev", () => {
  test("restarts on a change and says what changed; waits where a file is broken or something would be lost", async (t) => {
    const folder = openFolder(t);
    const running = launch(t, folder, ["dev", "--port", "0"]);
    await running.said(/Creates the table notes[^]*^curl /m);
    folder.write(
      "backend.ts",
      notesBackend
        .replace("title: text()", "title: text(), more: text().optional()")
        .replace('delete: me.has("staff")', "delete: me.signedIn"),
    );
    await running.said(
      /backend\.ts changed[^]*Adds the column notes\.more[^]*Serving http:\S+[^]*~ notes\.delete: me has role staff → me is signed in/,
    );
    folder.write("backend.ts", "const a = ;");
    await running.said(/backend\.ts changed[^]*SyntaxError[^]*waiting for a change/);
    folder.write("backend.ts", notesBackend);
    await running.said(/LOST: All values of notes\.more[^]*--confirm "drop notes\.more"[^]*waiting for a change/);
    assert.equal((await folder.run("migrate", "apply", "--confirm", "drop notes.more")).code, 0);
    folder.write("backend.ts", `${notesBackend}\n`);
    await running.said(/Serving http:/);
    assert.equal(await running.stop(), 0);
  });
});
