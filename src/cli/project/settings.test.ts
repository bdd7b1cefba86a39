/** What a command takes for a path and what for a URL: no file is made of a URL that is misspelt. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toUrl } from "./settings.ts";

test("a path alone is a file of SQLite", () => {
  for (const path of ["data.db", "./a/b.db", "/a/b.db", ":memory:", "C:\\data.db", "a//b.db"])
    assert.equal(toUrl(path), `sqlite:${path}`);
});

test("what begins as a URL does is one, in whatever case and however it goes on", () => {
  const urls = [
    "postgres://me@host/name",
    "Postgres://me@host/name",
    "postgress://me@host/name",
    "postgres//me@host/name",
    "MySQL//host/name",
  ];
  for (const url of urls) assert.equal(toUrl(url), url);
});
