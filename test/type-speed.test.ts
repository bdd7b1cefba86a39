/** A large backend type-checks fast: 100 models of 10 relations each, with a rule and a query for every one of them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { largeBackend } from "./large-backend.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const entry = join(root, "src/index.js");
const source = largeBackend(100, entry);
/** Work of the checker, which no other load of the machine changes. Today's figure is about two thirds of it. */
const instantiationsMax = 1_200_000;

interface Measured {
  readonly instantiations: number;
  readonly checkSeconds: number;
  readonly totalSeconds: number;
  /** Errors in the source itself. */
  readonly errors: readonly string[];
}

/** Has a source checked in a folder of its own. */
async function check(text: string): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-types-"));
  const config = {
    extends: join(root, "tsconfig.json"),
    include: ["large.ts"],
    compilerOptions: { typeRoots: [join(root, "node_modules/@types")] },
  };
  try {
    await writeFile(join(folder, "large.ts"), text);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const run = promisify(execFile);
    const { stdout } = await run(join(root, "node_modules/.bin/tsc"), ["-p", folder, "--extendedDiagnostics"], {
      maxBuffer: 2 ** 26,
    }).catch((error: { stdout: string }) => error);
    const figure = (name: string) => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, "m").exec(stdout)?.[1]);
    const errors = stdout.split("\n").filter((line) => /large\.ts\(.*error TS/.test(line));
    return {
      instantiations: figure("Instantiations"),
      checkSeconds: figure("Check time"),
      totalSeconds: figure("Total time"),
      errors,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("100 models of 10 relations each type-check, within a bound of work", async (context) => {
  const empty = await check(`export { model } from ${JSON.stringify(entry)};`);
  const large = await check(source);
  assert.deepEqual(large.errors.slice(0, 5), []);
  const own = large.instantiations - empty.instantiations;
  context.diagnostic(
    `${own} instantiations; checked in ${large.checkSeconds} s, of which the engine itself ${empty.checkSeconds} s; ${large.totalSeconds} s in all`,
  );
  assert.ok(own > 0 && own < instantiationsMax, `${own} instantiations`);
});

test("a mistake in one of 100 models is found", async () => {
  const { errors } = await check(source.replace("to1: { count: { gt: 1 } }", "to1: { cuont: { gt: 1 } }"));
  assert.equal(errors.length, 1);
});
