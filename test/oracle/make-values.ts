/** Random values of every kind, mostly from small pools of nasty ones, so that rows meet and edges are hit. */
import type { Random } from "./random.ts";
import type { FieldDef } from "./world.ts";

const texts = [
  "",
  "a",
  "A",
  "b%",
  "a_b",
  "a\\b",
  "it's",
  '"q"',
  "é",
  "e\u0301",
  "😀",
  "\uFFFD",
  "ﬁn",
  "İz",
  "ß",
  "Straße",
  "a b",
  " lead",
  "%",
  "_",
  "\\",
  "null",
  "true",
  "1",
  "10",
  "9",
  "ZZ",
  "line\nbreak",
  "𝒜",
  "日本 語",
  "ab",
  "Amélie",
  "--",
  "${x}",
  "{}",
  "[1]",
  "a\u00a0b",
  "\u0301",
];
const integers = [0, 1, -1, 2, 3, 7, 10, 100, -100, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1)];
const bigints = [
  "0",
  "1",
  "-1",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "10",
  "9",
];
const floats = [0, 0.5, -0.25, 1.75, 2, -3, 1e6, 100.125];
const wildFloats = [0.1, 1e-300, -1e300, 5e-324, 1.7976931348623157e308, 1 / 3];
const days = [
  "2020-12-31",
  "2021-01-01",
  "2021-01-03",
  "2021-01-04",
  "2024-12-30",
  "2024-12-29",
  "2026-11-21",
  "1969-12-31",
  "2000-02-29",
  "2026-11-20",
  "0001-01-01",
  "9999-12-31",
  "2015-12-31",
];
const clocks = ["00:00:00.000", "23:59:59.999", "09:30:00.000", "09:30:00.001", "12:00:00.500"];
const times = ["00:00:00", "23:59:59", "09:30:00", "09:30:01", "12:00:00"];

/** A wire value that the field accepts; never null. */
export function makeValue(random: Random, field: FieldDef): unknown {
  switch (field.kind) {
    case "text":
      return random.chance(0.8) ? random.pick(texts) : random.pick(texts) + random.pick(texts);
    case "integer":
      return field.small ? random.int(21) - 10 : random.chance(0.7) ? random.pick(integers) : random.int(1000) - 500;
    case "bigint":
      return field.small ? String(random.int(100)) : random.pick(bigints);
    case "float":
      return field.small || random.chance(0.7) ? random.pick(floats) : random.pick(wildFloats);
    case "decimal":
      return makeDecimal(random, field);
    case "boolean":
      return random.chance(0.5);
    case "datetime":
      return `${random.pick(days)}T${random.pick(clocks)}Z`;
    case "date":
      return random.pick(days);
    case "time":
      return random.pick(times);
    case "uuid":
      return makeUuid(random, random.chance(0.5) ? 4 : 2 ** 16);
    case "choice":
      return random.pick(field.choices ?? []);
    case "json":
      return field.shape ? makeDocument(random, field.shape) : makeLoose(random, 2);
    case "bytes":
      return random.pick(["", "AA==", "AP8=", "/+8=", "aGVsbG8="]);
    case "list":
      return Array.from({ length: random.int(4) }, () => makeValue(random, field.item as FieldDef));
    case "email":
      return `${random.pick(["a", "b.c", "x+y", "o'neil"])}@${random.pick(["example.com", "mail.example.org"])}`;
    case "url":
      return random.pick([
        "https://example.com/",
        "http://example.org/a%20b?c=_d",
        "https://example.com/%25",
        "https://e.example/ü",
      ]);
    case "slug":
      return random.pick(["a", "b-c", "film-1", "film-10", "film-9", "z"]);
  }
}

function makeDecimal(random: Random, { precision = 18, scale = 0, small }: FieldDef): string {
  const digits = small ? Math.min(precision, scale + 2) : precision;
  const extreme = 10n ** BigInt(digits) - 1n;
  const units =
    random.chance(0.2) && !small
      ? random.pick([extreme, -extreme, extreme - 1n])
      : BigInt(random.int(Math.min(2000, Number(extreme))) - (small ? 0 : 500));
  const text = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  const sign = units < 0n ? "-" : "";
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

export function makeUuid(random: Random, spread: number): string {
  const tail = random.int(spread).toString(16).padStart(12, "0");
  return `0198b0aa-0000-7000-8000-${tail}`;
}

function makeDocument(random: Random, shape: readonly FieldDef[]): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const field of shape)
    if (!field.optional || random.chance(0.7))
      made[field.name] = field.optional && random.chance(0.2) ? null : makeValue(random, field);
  return made;
}

function makeLoose(random: Random, depth: number): unknown {
  const scalars = [null, true, false, 0, 1, 1.5, "1", "a", "it's", "", "😀", "10"];
  if (depth === 0) return random.pick(scalars);
  const made: Record<string, unknown> = {};
  for (const name of ["a", "b", "c"])
    if (random.chance(0.7)) made[name] = random.chance(0.5) ? random.pick(scalars) : makeLoose(random, depth - 1);
  return random.chance(0.9) ? made : random.pick([[1, "a"], "a", 1, false]);
}
