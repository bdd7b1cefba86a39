/** `in` and `nin` of rules whose list is known only with the row or the caller: several claims, other fields, a list of the row. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  backend,
  bigint,
  boolean,
  date,
  datetime,
  decimal,
  float,
  integer,
  json,
  list,
  model,
  text,
  uuid,
} from "../src/index.ts";
import type { Term } from "../src/schema/rule.ts";
import { compileSchema } from "../src/schema/compile.ts";
import { createFreshTestApp } from "./fresh.ts";

const fields = () => ({ code: bigint(), other: bigint() });
const several = model("several", fields()).access(({ row, me }) => ({
  read: row.code.in([me.id, me.claim("it"), "7", row.other]),
}));
const noneOf = model("noneOf", fields()).access(({ row, me }) => ({
  read: row.code.nin([me.id, me.claim("it"), "7", row.other]),
}));
const alone = model("alone", fields()).access(({ row, me }) => ({ read: row.code.in([me.id]) }));

/** By the type of the elements: a value, a list with it, and one without. */
const elements = {
  text: [text(), "a\u001f ", ["b", "a\u001f "], ["a\u001f", "A\u001f ", "a"]],
  integer: [integer(), 9007199254740991, [0, 9007199254740991], [9007199254740990]],
  bigint: [bigint(), "9223372036854775807", ["9223372036854775807"], ["9223372036854775806", "0"]],
  decimal: [decimal(18, 2), "9999999999999999.90", ["9999999999999999.9"], ["9999999999999999.91", "0"]],
  float: [float(), 0.1, [1e300, 0.1], [0.10000000000000002]],
  boolean: [boolean(), false, [true, false], [true]],
  date: [date(), "2026-11-21", ["2026-11-21"], ["2026-11-20"]],
  datetime: [datetime(), "2026-11-21T09:30:00.001Z", ["2026-11-21T10:30:00.001+01:00"], ["2026-11-21T09:30:00.000Z"]],
  uuid: [
    uuid(),
    "0198b0aa-0000-7000-8000-000000000001",
    ["0198B0AA-0000-7000-8000-000000000001"],
    ["0198b0aa-0000-7000-8000-000000000002"],
  ],
} as const;

type AnyField = ReturnType<typeof text>;
const held = Object.entries(elements).map(([kind, [field]]) =>
  model(`${kind}Held`, { value: (field as AnyField).optional(), all: list(field as AnyField), place: integer() }).access(
    ({ row }) => ({ read: row.value.in(row.all) }),
  ),
);
const guests = model("guests", { value: uuid(), names: list(text()), notes: json({ name: text(), names: list(text()) }) })
  .softDelete()
  .access(({ row }) => {
    // Types do not look into documents.
    const notes = row.notes as unknown as { readonly name: Term<string>; readonly names: Term<string[]> };
    return { read: row.value.in(row.names), delete: notes.name.nin(notes.names) };
  });

const all = [several, noneOf, alone, ...held, guests];
const app = await createFreshTestApp(backend(Object.fromEntries(all.map((one) => [one.name, one]))));
after(() => app.close());

/** A model that is named at run time. */
interface AnyModel {
  create(data: object): Promise<unknown>;
  delete(id: string): Promise<unknown>;
  list(query: object): Promise<{ readonly data: readonly Readonly<Record<string, unknown>>[] }>;
}
const modelOf = (of: unknown, name: string) => (of as Readonly<Record<string, AnyModel>>)[name] as AnyModel;

describe("rules with a list", async () => {
  for (const name of ["several", "noneOf", "alone"])
    for (const [code, other] of [
      ["0", "1"],
      ["5", "1"],
      ["6", "1"],
      ["7", "1"],
      ["8", "8"],
    ])
      await modelOf(app.system, name).create({ code, other });

  const codes = async (name: string, actor: { id: string; claims?: Record<string, string> } | null) => {
    const { data } = await modelOf(app.as(actor), name).list({ orderBy: "code", select: { code: true } });
    return data.map(({ code }) => code).join("");
  };
  const ann = { id: "5", claims: { it: "6" } };

  test("of claims, constants and other fields: each is one value", async () => {
    assert.deepEqual([await codes("several", ann), await codes("noneOf", ann), await codes("alone", ann)], ["5678", "0", "5"]);
  });

  test("a claim that is not there, or that no such field could hold, leaves the others as they are", async () => {
    assert.deepEqual([await codes("several", { id: "ann" }), await codes("noneOf", { id: "ann" })], ["78", "056"]);
    assert.deepEqual([await codes("several", null), await codes("noneOf", null)], ["78", "056"]);
    assert.equal(await codes("alone", { id: "5,6" }), "");
  });

  for (const [kind, [, value, inside, outside]] of Object.entries(elements)) {
    test(`of the row, with elements of ${kind}: to the last digit`, async () => {
      const rows = modelOf(app.system, `${kind}Held`);
      const lists = [inside, outside, [], inside];
      for (const [place, list] of lists.entries()) await rows.create({ place, all: list, value: place === 3 ? null : value });
      const seen = await modelOf(app.as(null), `${kind}Held`).list({ orderBy: "place", select: { place: true } });
      assert.deepEqual(seen.data, [{ place: 0 }]);
    });
  }

  test("of texts: what is none of the field's values is equal to none, and breaks nothing", async () => {
    const value = "0198b0aa-0000-7000-8000-000000000001";
    const notes = { name: "a", names: ["b", "a "] };
    const rows = modelOf(app.system, "guests");
    for (const names of [[`${value} and more`], ["x", ""], [value.toUpperCase()], [value]])
      await rows.create({ value, names, notes });
    const { data } = await modelOf(app.as(null), "guests").list({ select: { id: true, names: true } });
    assert.deepEqual(
      data.map(({ names }) => names),
      [[value]],
    );
    await rows.delete(String(data[0]?.["id"]));
    await rows.create({ value, names: [value], notes: { name: "a", names: ["a"] } });
    const kept = await modelOf(app.as(null), "guests").list({ trash: "only", select: { names: true } });
    assert.deepEqual(kept.data, [{ names: [value] }]);
  });

  test("a list that could hold no value of the field is refused before anything is served", () => {
    const wrong = model("wrong", {
      code: bigint(),
      price: decimal(8, 2),
      texts: list(text()),
      prices: list(decimal(8, 1)),
    }).access(({ row }) => ({
      read: row.code.in(row.texts),
      update: row.price.nin(row.prices),
      delete: row.code.in(row.code as never),
    }));
    assert.throws(
      () => compileSchema({ wrong }),
      /row\.texts is no list of values of row\.code[^]*row\.prices is no list of values of row\.price[^]*row\.code is no list of values of row\.code/,
    );
  });
});
