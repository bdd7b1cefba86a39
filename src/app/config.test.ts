/** Options and environment: what is taken, and what a wrong one is answered with; the secret and its file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readEnvironment, readWorkers } from "./config.ts";
import { resolveOptions } from "./options.ts";
import { resolveKeys } from "./secret.ts";
import { fileOf } from "./wire.ts";

describe("the environment", () => {
  test("sets options", () => {
    const environment = {
      HOLDFAST_PORT: "80",
      HOLDFAST_DATABASE_URL: "sqlite:/data/a.db",
      HOLDFAST_CORS_ORIGINS: "https://a.example, https://b.example",
      HOLDFAST_BODY_BYTES_MAX: "10",
      HOLDFAST_BATCH_MAX: "5",
      HOLDFAST_TOKEN_ISSUER: "me",
      HOLDFAST_TOKEN_PUBLIC_KEY: "-----BEGIN\\nabc",
      NODE_ENV: "production",
      HOLDFAST_HOST: "",
    };
    assert.deepEqual(readEnvironment(environment), {
      port: 80,
      database: "sqlite:/data/a.db",
      corsOrigins: ["https://a.example", "https://b.example"],
      http: { bodyBytesMax: 10 },
      limits: { batchMax: 5 },
      tokens: { issuer: "me", keys: [{ publicKey: "-----BEGIN\nabc" }] },
      mode: "production",
    });
  });

  test("takes the database that a host hands out as DATABASE_URL, where ours is not said", () => {
    assert.deepEqual(readEnvironment({ DATABASE_URL: "postgres://h/n" }), { database: "postgres://h/n" });
    const both = { DATABASE_URL: "postgres://h/n", HOLDFAST_DATABASE_URL: "sqlite:a.db" };
    assert.deepEqual(readEnvironment(both), { database: "sqlite:a.db" });
  });

  test("says how many workers, which is no option of an app", () => {
    assert.equal(readWorkers({ HOLDFAST_WORKERS: "auto" }), "auto");
    assert.equal(readWorkers({}), null);
    assert.deepEqual(readEnvironment({ HOLDFAST_WORKERS: "auto" }), {});
  });

  test("unknown variables are refused with a suggestion", () => {
    assert.throws(() => readEnvironment({ HOLDFAST_PROT: "80" }), /HOLDFAST_PROT\. Did you mean "HOLDFAST_PORT"\?/);
    assert.throws(() => readEnvironment({ HOLDFAST_PORT: "http" }), /HOLDFAST_PORT is a whole number/);
  });
});

describe("options", () => {
  test("do not repeat a URL, which may hold a password", () => {
    assert.throws(
      () => fileOf("posgres://me:hunter2@host/name"),
      ({ message }: Error) => message.includes('"posgres"') && !message.includes("hunter2"),
    );
  });

  test("take a scheme in whatever case, and a file for a file alone", () => {
    assert.deepEqual(["Postgres://me@host/name", "MYSQL://me@host/name", "MariaDB://me@host/name"].map(fileOf), [
      null,
      null,
      null,
    ]);
    assert.deepEqual(["sqlite:a.db", "SQLite:/a.db", "sqlite:///a.db", "sqlite::memory:"].map(fileOf), [
      "a.db",
      "/a.db",
      "/a.db",
      null,
    ]);
    for (const url of ["sqlite:", "sqlite://a.db"]) assert.throws(() => fileOf(url), /write sqlite:\.\/data\.db/);
  });

  test("have defaults", () => {
    const settings = resolveOptions({});
    assert.equal(settings.port, 3000);
    assert.equal(settings.host, "127.0.0.1");
    assert.equal(settings.http.bodyBytesMax, 1_048_576);
    assert.equal(settings.migrate, true);
    const production = resolveOptions({ mode: "production" });
    assert.deepEqual([production.host, production.migrate], ["0.0.0.0", false]);
  });

  const wrong: readonly (readonly [options: object, says: RegExp])[] = [
    [{ prot: 1 }, /no option prot\. Did you mean "port"\?/],
    [{ http: { bodyBytesMx: 1 } }, /no option http\.bodyBytesMx\. Did you mean "bodyBytesMax"\?/],
    [{ limits: { batchMx: 1 } }, /no option limits\.batchMx/],
    [{ tokens: { isuer: "" } }, /no option tokens\.isuer/],
    [{ http: { bodyBytesMax: -1 } }, /http\.bodyBytesMax is a whole number/],
    [{ port: 70_000 }, /port/],
    [{ mode: "prod" }, /mode/],
    [{ mount: "api/" }, /mount/],
    [{ secret: "short" }, /32 characters/],
    [{ corsOrigins: ["a.example/"] }, /corsOrigins/],
  ];
  for (const [options, says] of wrong) test(JSON.stringify(options), () => assert.throws(() => resolveOptions(options), says));
});

describe("the secret", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-"));
  test.after(() => rmSync(folder, { recursive: true }));

  test("is kept next to the database in development, for the owner only", () => {
    const keyFile = join(folder, "a.db.key");
    const first = resolveKeys({ secret: null, mode: "development", keyFile });
    assert.deepEqual(resolveKeys({ secret: null, mode: "development", keyFile }), first);
    assert.equal(statSync(keyFile).mode & 0o777, 0o600);
    assert.notDeepEqual(first.cursorKey, first.tokenKey);
    assert.notDeepEqual(resolveKeys({ secret: null, mode: "development", keyFile: null }), first);
  });

  test("must be configured in production", () => {
    assert.throws(
      () => resolveKeys({ secret: null, mode: "production", keyFile: join(folder, "b.db.key") }),
      /set HOLDFAST_SECRET/,
    );
    assert.equal(resolveKeys({ secret: "x".repeat(32), mode: "production", keyFile: null }).tokenKey.length, 32);
  });

  test("is not taken from an empty file", () => {
    writeFileSync(join(folder, "c.db.key"), "");
    assert.throws(() => resolveKeys({ secret: null, mode: "development", keyFile: join(folder, "c.db.key") }), /holds no secret/);
  });
});
