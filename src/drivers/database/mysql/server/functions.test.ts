/** The functions that statements call answer as ECMAScript does: over all characters, and over many doubles. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { needsService } from "../../../../../test/needs.ts";
import { type FreshDatabase, freshDatabase } from "../../../../../test/servers/databases.ts";
import { type ServiceName, serviceUrl } from "../../../../../test/servers/names.ts";
import { foldText } from "../../../../base/fold.ts";
import type { Database, Value } from "../../../database.ts";
import { openMysql } from "../mysql.ts";
import { mariadb } from "../variants/mariadb.ts";
import { mysql } from "../variants/mysql.ts";
import type { Variant } from "../variants/variant.ts";

const codePointMax = 0x10ffff;
const characters = Array.from({ length: codePointMax }, (_, index) => index + 1)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));

void describe("functions of MariaDB", needsService("mariadb"), () => testFunctions("mariadb", mariadb));
void describe("functions of MySQL", needsService("mysql"), () => testFunctions("mysql", mysql));

function testFunctions(name: ServiceName, variant: Variant): void {
  const asking = openAsking(name, variant);
  testCharacters(asking);
  testTexts(asking);
  testDoubles(asking);
}

type Asking = ReturnType<typeof openAsking>;

function openAsking(name: ServiceName, { collation }: Variant) {
  let fresh: FreshDatabase;
  let database: Database;

  before(async () => {
    fresh = await freshDatabase(serviceUrl(name));
    database = await openMysql({ url: fresh.url });
  });

  after(async () => {
    await database.close();
    await fresh.drop();
  });

  async function ask(text: string, ...params: readonly Value[]): Promise<Value> {
    const [row] = await database.read({ text, params }, { timeoutMs: 60_000 });
    return row?.[0] as Value;
  }

  /** The answers for every element of a list, in its order. */
  async function each(call: string, list: readonly string[]): Promise<readonly Value[]> {
    const text = `select ${call} from json_table(?, '$[*]' columns (n for ordinality, v longtext character set utf8mb4 collate ${collation} path '$')) e order by n`;
    const rows = await database.read({ text, params: [JSON.stringify(list)] }, { timeoutMs: 60_000 });
    return rows.map((row) => row[0] as Value);
  }

  /** In texts of many characters; a line break stands between those that could change each other. */
  async function compareAll(call: string, expected: (text: string) => string): Promise<void> {
    const size = 256;
    const texts = Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
      characters.slice(index * size, (index + 1) * size).join("\n"),
    );
    const answers = await each(call, texts);
    const wrong = texts.filter((text, index) => answers[index] !== expected(text));
    assert.deepEqual(
      wrong.slice(0, 5).map((text) => text.codePointAt(0)?.toString(16)),
      [],
    );
  }

  return { ask, each, compareAll };
}

function testCharacters({ compareAll }: Asking): void {
  test("every character as JSON", () => compareAll("holdfast_quote(v)", (text) => JSON.stringify(text)));

  test("every character folded", () => compareAll("holdfast_fold(v)", foldText));

  test("lower and upper leave all but A to Z alone", async () => {
    await compareAll("holdfast_lower(v)", (text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()));
    await compareAll("holdfast_upper(v)", (text) => text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()));
  });
}

function testTexts({ ask, each }: Asking): void {
  test("whole texts", async () => {
    const texts = [
      "",
      "Amélie",
      "İstanbul ΟΔΟΣ σας Σ",
      "한국어 ﬁn",
      'a\\b"c\u0001\u001f\\u000B',
      "日本 語 ẞ",
      "ΑΣ Σ́α",
      "x".repeat(70_000),
    ];
    assert.deepEqual(await each("holdfast_fold(v)", texts), texts.map(foldText));
    assert.deepEqual(
      await each("holdfast_quote(v)", texts),
      texts.map((text) => JSON.stringify(text)),
    );
    assert.equal(await ask("select holdfast_fold(null)"), null);
    assert.equal(await ask("select holdfast_quote(null)"), null);
    assert.equal(await ask("select holdfast_finds(?, ?)", "Ein Café in Öl", '["cafe","ol"]'), 1);
    assert.equal(await ask("select holdfast_finds(?, ?)", "Ein Café in Öl", '["cafe","oel"]'), 0);
    assert.equal(await ask("select holdfast_finds(null, '[]')"), 0);
  });
}

function testDoubles({ ask, each }: Asking): void {
  test("doubles as ECMAScript writes them", async () => {
    const edges = [
      0,
      0.1,
      1e20,
      1e21,
      1e15,
      1e16,
      1e-6,
      1.5e-6,
      1e-7,
      1.5e-7,
      1e-10,
      5e-324,
      1.7976931348623157e308,
      1 / 3,
      2 ** 53,
    ];
    const drawn = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), { numRuns: 20_000, seed: 7 });
    const plain = fc.sample(fc.tuple(fc.integer({ max: 10 ** 9 }), fc.integer({ min: -12, max: 12 })), {
      numRuns: 10_000,
      seed: 7,
    });
    const doubles = [...edges, ...edges.map((one) => -one), ...drawn, ...plain.map(([digits, power]) => digits * 10 ** power)];
    const answers = await each("holdfast_real(cast(v as double))", doubles.map(String));
    const wrong = doubles.filter((double, index) => answers[index] !== String(double));
    assert.deepEqual(wrong.slice(0, 5), []);
    assert.equal(await ask("select holdfast_real(null)"), null);
  });
}
