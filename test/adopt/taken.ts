/** Databases whose tables are taken over, and the command line on them. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { makeTheirs, type Product } from "./databases.ts";
import { opened } from "./place.ts";

interface Made {
  readonly sql: string;
  /** Of `holdfast adopt`. */
  readonly flags: readonly string[];
}

/** Adopts a database of these tables, with every table taken over in the file `v0.ts`; each edit is a file of its own, for a module is loaded once. */
export async function takeOver(t: TestContext, product: Product, made: string | Made) {
  const { sql, flags } = typeof made === "string" ? { sql: made, flags: [] } : made;
  const theirs = await makeTheirs(product, sql);
  t.after(() => theirs.remove());
  const { place, url } = theirs;
  const { code, err, out } = await place.run("adopt", url, "--read-only-for", "staff", ...flags);
  assert.equal(code, 0, out + err);
  const state = { version: 0 };
  const text = opened(place.read("backend.ts")).replaceAll(".adopted()", ".takenOver()");
  place.write("v0.ts", text);
  const file = () => `v${state.version}.ts`;
  const migrate = async (...argv: readonly string[]) => {
    const told = await place.run("migrate", ...argv, "--database", url, "--backend", file());
    return { code: told.code, out: told.out + told.err };
  };
  return {
    ...theirs,
    text,
    migrate,
    file,
    edit: (...changes: readonly (readonly [from: string | RegExp, to: string])[]) => {
      let changed = place.read(file());
      for (const [from, to] of changes) {
        const before = changed;
        changed = before.replace(from, to);
        assert.ok(changed !== before, `${String(from)}\n${before}`);
      }
      state.version++;
      place.write(file(), changed);
    },
    applied: async (...argv: readonly string[]) => {
      const told = await migrate("apply", ...argv);
      assert.equal(told.code, 0, told.out);
      const status = await migrate("status");
      assert.equal(status.code, 0, status.out);
      return told.out;
    },
  };
}
