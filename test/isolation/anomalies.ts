/**
 * The ten anomalies of Adya's thesis, "Weak Consistency" (1999), as github.com/ept/hermitage plays them: two rows, two or three
 * transactions, and an order in which their steps are asked for. Each says from what was seen and what is left whether it happened.
 */
import type { NotesDb } from "../feed/notes.ts";

export type Party = "T1" | "T2" | "T3";
/** What a transaction has read, by a name that its step gives. */
export type Seen = Map<string, number>;
export type Step = (db: NotesDb, seen: Seen) => Promise<unknown>;
/** A step, or how the transaction ends. */
export type Move = Step | "commit" | "undo";
/** Counts of the rows that are there, by id. */
export type Rows = ReadonlyMap<string, number>;

export interface Anomaly {
  readonly code: string;
  readonly title: string;
  /** In the order in which it is asked for. */
  readonly script: readonly (readonly [Party, Move])[];
  happened(seen: Readonly<Record<Party, Seen>>, rows: Rows): boolean;
}

/** Before each: x is 10 and y is 20. */
export const startRows: Rows = new Map([
  ["x", 10],
  ["y", 20],
]);

const set =
  (id: string, count: number): Step =>
  (db) =>
    db.notes.update(id, { count });
const get =
  (id: string, as = id): Step =>
  async (db, seen) =>
    seen.set(as, (await db.notes.get(id)).count);
const countOver =
  (min: number, as: string): Step =>
  async (db, seen) =>
    seen.set(as, (await db.notes.list({ where: { count: { gte: min } } })).data.length);
/** Writes one more than what was read. */
const setFrom =
  (id: string, read: string): Step =>
  (db, seen) =>
    db.notes.update(id, { count: (seen.get(read) ?? 0) + 1 });
const add =
  (id: string, count: number): Step =>
  (db) =>
    db.notes.create({ id, body: "added", count });

const is = (rows: Rows, x: number, y: number) => rows.get("x") === x && rows.get("y") === y;
const saw = (seen: Seen, ...values: readonly number[]) => values.some((value) => [...seen.values()].includes(value));

export const anomalies: readonly Anomaly[] = [
  {
    code: "G0",
    title: "dirty write",
    script: [
      ["T1", set("x", 11)],
      ["T2", set("x", 12)],
      ["T2", set("y", 22)],
      ["T1", set("y", 21)],
      ["T1", "commit"],
      ["T2", "commit"],
    ],
    happened: (_, rows) => !is(rows, 11, 21) && !is(rows, 12, 22),
  },
  {
    code: "G1a",
    title: "aborted read",
    script: [
      ["T1", set("x", 101)],
      ["T2", get("x", "first")],
      ["T1", "undo"],
      ["T2", get("x", "second")],
      ["T2", "commit"],
    ],
    happened: ({ T2 }) => saw(T2, 101),
  },
  {
    code: "G1b",
    title: "intermediate read",
    script: [
      ["T1", set("x", 101)],
      ["T2", get("x", "first")],
      ["T1", set("x", 11)],
      ["T1", "commit"],
      ["T2", get("x", "second")],
      ["T2", "commit"],
    ],
    happened: ({ T2 }) => saw(T2, 101),
  },
  {
    code: "G1c",
    title: "circular information flow",
    script: [
      ["T1", set("x", 11)],
      ["T2", set("y", 22)],
      ["T1", get("y")],
      ["T2", get("x")],
      ["T1", "commit"],
      ["T2", "commit"],
    ],
    happened: ({ T1, T2 }) => T1.get("y") === 22 && T2.get("x") === 11,
  },
  {
    code: "OTV",
    title: "observed transaction vanishes",
    script: [
      ["T1", set("x", 11)],
      ["T1", set("y", 19)],
      ["T2", set("x", 12)],
      ["T1", "commit"],
      ["T3", get("x", "x first")],
      ["T3", get("y", "y first")],
      ["T2", set("y", 18)],
      ["T2", "commit"],
      ["T3", get("x", "x second")],
      ["T3", get("y", "y second")],
      ["T3", "commit"],
    ],
    happened: ({ T3 }) => T3.get("x first") !== T3.get("x second") || T3.get("y first") !== T3.get("y second"),
  },
  {
    code: "PMP",
    title: "predicate-many-preceders",
    script: [
      ["T1", countOver(30, "first")],
      ["T2", add("z", 30)],
      ["T2", "commit"],
      ["T1", countOver(30, "second")],
      ["T1", "commit"],
    ],
    happened: ({ T1 }) => T1.get("first") !== T1.get("second"),
  },
  {
    code: "P4",
    title: "lost update",
    script: [
      ["T1", get("x")],
      ["T2", get("x")],
      ["T1", setFrom("x", "x")],
      ["T2", setFrom("x", "x")],
      ["T1", "commit"],
      ["T2", "commit"],
    ],
    happened: (_, rows) => rows.get("x") !== 12,
  },
  {
    code: "G-single",
    title: "read skew",
    script: [
      ["T1", get("x")],
      ["T2", get("x")],
      ["T2", get("y")],
      ["T2", set("x", 12)],
      ["T2", set("y", 18)],
      ["T2", "commit"],
      ["T1", get("y")],
      ["T1", "commit"],
    ],
    happened: ({ T1 }) => (T1.get("x") === 10) !== (T1.get("y") === 20),
  },
  {
    code: "G2-item",
    title: "write skew",
    script: [
      ["T1", get("y")],
      ["T2", get("x")],
      ["T1", setFrom("x", "y")],
      ["T2", setFrom("y", "x")],
      ["T1", "commit"],
      ["T2", "commit"],
    ],
    happened: (_, rows) => is(rows, 21, 11),
  },
  {
    code: "G2",
    title: "anti-dependency cycle",
    script: [
      ["T1", countOver(30, "seen")],
      ["T2", countOver(30, "seen")],
      ["T1", add("a", 30)],
      ["T2", add("b", 30)],
      ["T1", "commit"],
      ["T2", "commit"],
    ],
    happened: ({ T1, T2 }) => T1.get("seen") === T2.get("seen"),
  },
];
