/** What tests may ask of the machine: a skip with a reason where it is missing, and a failure where `CI` is set. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { missingService } from "../scripts/reporter.ts";
import { needs, needsService } from "./needs.ts";
import { type ServiceName, serviceNames, services } from "./servers/names.ts";
import { findWanted } from "./servers/start.ts";

/** Not written into the calls below: the runner would take this file for one that uses the server. */
const name: ServiceName = "mariadb";
const { variable } = services[name];

test("what is there is no reason to skip", () => {
  assert.deepEqual(needs("a disk", true, { CI: "true" }), { skip: false });
  assert.deepEqual(needsService(name, { [variable]: "mysql://a", CI: "true" }), { skip: false });
});

test("what is missing is skipped with a reason that the runner knows for one, and fails where CI is set", () => {
  for (const ask of [
    (env: NodeJS.ProcessEnv) => needs("a disk", false, env),
    (env: NodeJS.ProcessEnv) => needsService(name, env),
  ]) {
    assert.match(String(ask({}).skip), missingService);
    assert.throws(() => ask({ CI: "true" }), /CI is set, and this test needs/);
  }
  assert.match(String(needsService(name, { [variable]: "" }).skip), /^needs MariaDB .*TEST_MARIADB_URL/);
});

test("the runner starts what the test files of the run ask for, unless its address is set", () => {
  assert.deepEqual(findWanted(["test/servers.test.ts"], {}), serviceNames);
  const others = serviceNames.filter((each) => each !== name);
  assert.deepEqual(findWanted(["test/servers.test.ts"], { [variable]: "mysql://a" }), others);
  assert.deepEqual(findWanted(["test/needs.test.ts", "test/readme.test.ts"], {}), []);
});
