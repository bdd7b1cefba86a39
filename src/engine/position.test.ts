/** Who may be answered by a replica: by token, by memory, and by nobody's word. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Database } from "../drivers/database.ts";
import { type Actor, anonymous, createActor, system } from "./actor.ts";
import { createCursorKey } from "./cursor.ts";
import { createPositions, type ReplicaReads } from "./position.ts";

const key = createCursorKey(new Uint8Array(32));
const ann = createActor("ann");
const bob = createActor("bob");
const at = (number: number) => number.toString(16).toUpperCase().padStart(16, "0");

/** A primary that says where it is, or is gone. */
function create(mode: ReplicaReads = "process") {
  const primary = { position: 100, isThere: true };
  const database = {
    position: async () => {
      if (!primary.isThere) throw new Error("gone");
      return at(primary.position);
    },
  } as unknown as Database;
  const positions = createPositions(database, key, mode);
  const need = (actor: Actor, since: string | null = null) => positions.needOf({ actor, requestId: null, since });
  return { primary, positions, need };
}

describe("a replica may answer", () => {
  test("nobody, where there is none", () => {
    const none = createPositions({} as Database, key, "process");
    assert.equal(none.needOf({ actor: anonymous, requestId: null, since: null }), undefined);
  });

  test("who has written nothing; and the writer from the write on", async () => {
    const { positions, need } = create();
    assert.deepEqual([need(ann), need(anonymous), need(system)], [null, null, undefined]);
    await positions.note(ann, at(7));
    assert.deepEqual([need(ann), need(bob)], [at(7), null]);
    await positions.note(ann, at(5));
    assert.equal(need(ann), at(7), "an earlier write that is told later takes nothing away");
  });

  test("no read of the code's own", () => {
    const { positions } = create();
    assert.equal(positions.needOf({ actor: ann, requestId: null }), undefined);
  });

  test("who has a token, from there on or from what is remembered; a forged one says nothing", async () => {
    const { positions, need } = create("token");
    const token = (await positions.note(ann, at(7))) ?? "";
    assert.deepEqual([need(ann), need(ann, token), need(bob, token)], [undefined, at(7), at(7)]);
    await positions.note(bob, at(9));
    assert.equal(need(bob, token), at(9));
    const other = createPositions(
      { position: async () => at(1) } as unknown as Database,
      createCursorKey(new Uint8Array(32).fill(1)),
      "token",
    );
    const foreign = (await other.note(ann, at(1))) ?? "";
    for (const bad of [foreign, "", "x", `${token}A`, "a".repeat(1000)]) assert.equal(need(ann, bad), undefined);
  });

  test("nobody after a write whose outcome is unknown, until the primary has been asked", async () => {
    const { primary, positions, need } = create();
    primary.isThere = false;
    assert.equal(await positions.note(ann, null), null);
    assert.deepEqual([need(ann), need(bob)], [undefined, undefined]);
    primary.isThere = true;
    await positions.note(bob, null);
    assert.deepEqual([need(ann), need(bob)], [at(100), at(100)]);
  });

  test("who was forgotten, from where they may have written", async () => {
    const { positions, need } = create();
    for (let number = 1; number <= 10_001; number++) await positions.note(createActor(`u${number}`), at(number));
    assert.deepEqual([need(createActor("u1")), need(bob), need(createActor("u10001"))], [at(1), at(1), at(10_001)]);
  });
});
