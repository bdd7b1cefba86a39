/** Holds a database against what clients know, and its change records against its rows. Names every fault that it finds. */
import { DatabaseSync } from "node:sqlite";
import type { Ledger } from "./ledger.ts";

export interface Image {
  readonly id: string;
  readonly tag: string;
  readonly value: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

export interface ChangeRow {
  readonly seq: number;
  readonly row_id: string;
  readonly kind: "insert" | "update" | "delete";
  readonly version: number;
  readonly before: string | null;
  readonly after: string | null;
}

/** Every fault, in words; none where all is well. What was uncertain is certain afterwards: the ledger takes it over. */
export function verify(file: string, ledger: Ledger): string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = new Map(readRows(db).map((row) => [row.id, row]));
    const integrity = db
      .prepare("pragma quick_check")
      .all()
      .map((row) => Object.values(row)[0]);
    return [
      ...integrity.filter((line) => line !== "ok").map((line) => `the file is damaged: ${String(line)}`),
      ...compare(ledger, rows, readChanges(db)),
    ];
  } finally {
    db.close();
  }
}

/** Holds rows and change records against what clients know. */
export function compare(ledger: Ledger, rows: ReadonlyMap<string, Image>, changes: Iterable<ChangeRow>): string[] {
  return [
    ...verifyRows(ledger, rows),
    ...verifyBatches(ledger, rows),
    ...verifyKeys(ledger, rows),
    ...verifyChanges(changes, rows),
  ];
}

function readRows(db: DatabaseSync): Image[] {
  return db
    .prepare("select id, tag, value, created_at as createdAt, updated_at as updatedAt, version from entries")
    .all() as unknown as Image[];
}

function readChanges(db: DatabaseSync): Iterable<ChangeRow> {
  const changes = db.prepare(
    "select seq, row_id, kind, version, before, after from _changes where model = 'entries' order by seq",
  );
  return changes.iterate() as unknown as Iterable<ChangeRow>;
}

function* verifyRows(ledger: Ledger, rows: ReadonlyMap<string, Image>): Generator<string> {
  for (const [id, expected] of ledger.rows) {
    const found = rows.get(id)?.value ?? "absent";
    if (found !== expected.sure && found !== expected.maybe)
      yield `row ${id} was acknowledged as ${expected.sure} and is ${found}`;
    expected.sure = found;
    expected.maybe = null;
  }
}

function* verifyBatches(ledger: Ledger, rows: ReadonlyMap<string, Image>): Generator<string> {
  for (const batch of ledger.batches) {
    const there = batch.ids.filter((id) => rows.has(id)).length;
    if (there !== 0 && there !== batch.ids.length) yield `batch ${batch.ids[0]} is there by ${there} of ${batch.ids.length}`;
    if (there === 0 && batch.acknowledged) yield `batch ${batch.ids[0]} was acknowledged and is lost`;
    batch.acknowledged = there > 0;
  }
}

function* verifyKeys(ledger: Ledger, rows: ReadonlyMap<string, Image>): Generator<string> {
  const counts = new Map<string, number>();
  for (const { tag } of rows.values()) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  for (const { tag, answer } of ledger.keyed) {
    const count = counts.get(tag) ?? 0;
    if (count > 1) yield `${tag} was doubled: ${count} rows`;
    if (count === 0 && answer !== null) yield `${tag} was acknowledged and is lost`;
  }
}

/** Replays the change records: each must follow from the one before, and together they must give the rows. */
function* verifyChanges(changes: Iterable<ChangeRow>, rows: ReadonlyMap<string, Image>): Generator<string> {
  const replayed = new Map<string, Image>();
  const versions = new Map<string, number>();
  for (const change of changes) {
    const { seq, row_id: id, kind } = change;
    const known = replayed.get(id);
    const isNew = versions.get(id) === undefined;
    if (change.version !== (versions.get(id) ?? 0) + 1)
      yield `change ${seq} of row ${id} is version ${change.version} after ${versions.get(id) ?? 0}`;
    if ((kind === "insert") !== isNew) yield `change ${seq} is ${kind} of a row that ${isNew ? "never was" : "is there"}`;
    if (!isSame(change.before, known)) yield `change ${seq} says that row ${id} was ${change.before}`;
    versions.set(id, change.version);
    if (change.after === null) replayed.delete(id);
    else replayed.set(id, JSON.parse(change.after) as Image);
  }
  for (const [id, row] of rows) if (!isSame(JSON.stringify(row), replayed.get(id))) yield `row ${id} is not what its changes say`;
  for (const id of replayed.keys()) if (!rows.has(id)) yield `row ${id} is there by its changes, and is not`;
}

function isSame(json: string | null, image: Image | undefined): boolean {
  if (json === null || image === undefined) return json === null && image === undefined;
  const other = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const entries = Object.entries(image);
  return Object.keys(other).length === entries.length && entries.every(([name, value]) => other[name] === value);
}
