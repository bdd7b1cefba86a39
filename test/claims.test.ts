/** Claims beside fields of numbers and times: read as a value of the field would be, to the last digit; one that no field could hold is equal to none. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { backend, bigint, date, datetime, decimal, float, integer, model, text, time } from "../src/index.ts";
import type { Cond } from "../src/schema/cond.ts";
import { createFreshTestApp } from "./fresh.ts";

/** What each field holds, rising, and for a claim: how many of the values are equal to it, and how many are at least as much. */
const kinds = {
  bigint: {
    field: bigint(),
    holds: ["-9223372036854775808", "0", "9223372036854775806", "9223372036854775807"],
    claims: [
      ["9223372036854775807", 1, 1],
      ["9223372036854775806", 1, 2],
      ["9223372036854775805", 0, 2],
      ["-9223372036854775808", 1, 4],
      ["9223372036854775808", 0, 0],
      ["-9223372036854775809", 0, 0],
      ["1e3", 0, 0],
      ["", 0, 0],
    ],
  },
  integer: {
    field: integer(),
    holds: [-9007199254740991, 0, 9007199254740990, 9007199254740991],
    claims: [
      ["9007199254740991", 1, 1],
      ["9007199254740990", 1, 2],
      ["9007199254740992", 0, 0],
      ["-9007199254740991", 1, 4],
      ["9.5", 0, 0],
      ["0x0", 0, 0],
    ],
  },
  decimal: {
    field: decimal(18, 2),
    holds: ["-9999999999999999.99", "0.00", "9999999999999999.98", "9999999999999999.99"],
    claims: [
      ["9999999999999999.99", 1, 1],
      ["9999999999999999.980", 1, 2],
      ["9999999999999999.97", 0, 2],
      ["9999999999999999.991", 0, 0],
      ["10000000000000000", 0, 0],
      ["-9999999999999999.99", 1, 4],
    ],
  },
  float: {
    field: float(),
    holds: [-1e300, 0, 0.1, 1.7976931348623157e308],
    claims: [
      ["0.1", 1, 2],
      ["0.10000000000000001", 1, 2],
      ["0.10000000000000002", 0, 1],
      ["1.7976931348623157e308", 1, 1],
      ["1e309", 0, 0],
      ["NaN", 0, 0],
    ],
  },
  datetime: {
    field: datetime(),
    holds: ["0001-01-01T00:00:00.000Z", "2026-11-21T09:30:00.000Z", "2026-11-21T09:30:00.001Z", "9999-12-31T23:59:59.999Z"],
    claims: [
      ["2026-11-21T09:30:00.001Z", 1, 2],
      ["2026-11-21T10:30:00+01:00", 1, 3],
      ["9999-12-31T23:59:59.999Z", 1, 1],
      ["2026-11-21", 0, 0],
      ["2026-02-30T00:00:00Z", 0, 0],
    ],
  },
  date: {
    field: date(),
    holds: ["0001-01-01", "2026-11-20", "2026-11-21", "9999-12-31"],
    claims: [
      ["2026-11-21", 1, 2],
      ["2026-11-31", 0, 0],
      ["0000-01-01", 0, 0],
    ],
  },
  time: {
    field: time(),
    holds: ["00:00:00", "09:29:59", "09:30:00", "23:59:59"],
    claims: [
      ["09:30", 1, 2],
      ["23:59:59", 1, 1],
      ["24:00:00", 0, 0],
    ],
  },
} as const;

/** A field, and a model, that are named at run time. */
type AnyTerm = Readonly<Record<"eq" | "ne" | "gte", (claim: unknown) => Cond>>;
type AnyModel = Readonly<Record<"create" | "list" | "update" | "delete", (...given: readonly unknown[]) => Promise<Listed>>>;
interface Listed {
  readonly data: readonly { readonly place: number; readonly code: string }[];
}

const suffixes = { eq: "Same", ne: "Other", gte: "Least" } as const;
const valued = Object.entries(kinds).flatMap(([kind, { field }]) =>
  (["eq", "ne", "gte"] as const).map((operator) =>
    model(`${kind}${suffixes[operator]}`, { value: field as ReturnType<typeof text>, place: integer() }).access(
      ({ row, me }) => ({ read: (row.value as unknown as AnyTerm)[operator](me.claim("it")) }),
    ),
  ),
);
const trashed = model("trashed", { code: bigint(), note: text() })
  .key("code")
  .softDelete()
  .access(({ row, me }) => ({ read: me.signedIn, update: row.code.gte(me.id), delete: row.code.gte(me.id) }));

const app = await createFreshTestApp(backend(Object.fromEntries([...valued, trashed].map((one) => [one.name, one]))));
after(() => app.close());
const modelOf = (of: unknown, name: string) => (of as Readonly<Record<string, AnyModel>>)[name] as AnyModel;
const inSystem = (name: string) => modelOf(app.system, name);

describe("a claim beside a field", async () => {
  for (const [kind, { holds }] of Object.entries(kinds))
    for (const suffix of Object.values(suffixes))
      for (const [place, value] of holds.entries()) await inSystem(`${kind}${suffix}`).create({ value, place });

  for (const [kind, { holds, claims }] of Object.entries(kinds)) {
    test(`of ${kind}`, async () => {
      for (const [it, same, least] of claims) {
        const places = async (suffix: string) => {
          const ann = modelOf(app.as({ id: "ann", claims: { it } }), `${kind}${suffix}`);
          return (await ann.list({ orderBy: "place", select: { place: true } })).data.map(({ place }) => place);
        };
        const others = await places("Other");
        assert.equal((await places("Same")).length, same, `equal to ${it}`);
        assert.equal(others.length, holds.length - same, `not equal to ${it}`);
        assert.deepEqual(await places("Least"), holds.map((_, place) => place).slice(holds.length - least), `from ${it} on`);
      }
    });
  }

  test("who may empty the trash, and change a row, is told to the last digit", async () => {
    const codes = ["9223372036854775806", "9223372036854775807"];
    for (const code of codes) await inSystem("trashed").create({ code, note: "" });
    const mine = modelOf(app.as({ id: "9223372036854775807" }), "trashed");
    await assert.rejects(mine.update(codes[0], { note: "x" }), { code: "forbidden" });
    await mine.update(codes[1], { note: "x" });
    for (const code of codes) await inSystem("trashed").delete(code);
    const seen = async (id: string) => {
      const { data } = await modelOf(app.as({ id }), "trashed").list({ trash: "only", orderBy: "code", select: { code: true } });
      return data.map(({ code }) => code);
    };
    assert.deepEqual(await seen("9223372036854775807"), codes.slice(1));
    assert.deepEqual(await seen("9223372036854775806"), codes);
    assert.deepEqual(await seen("9223372036854775808"), []);
  });
});
