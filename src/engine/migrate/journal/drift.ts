/** Compares the database as it is with the journal's snapshot, and names each difference. */
import type { Ddl, Structure } from "../../../drivers/ddl.ts";
import { type Readable, readerOf, readStructure } from "./journal.ts";
import { schemasOf, shownTable } from "../../../schema/table-name.ts";
import { tableOf } from "../snapshot/snapshot.ts";
import type { Snapshot } from "../snapshot/snapshot-types.ts";
import { systemShapes } from "./system-tables.ts";

/** One sentence for each difference; empty when the database is as the journal says. */
export async function findDrift(database: Readable, snapshot: Snapshot, ddl: Ddl): Promise<readonly string[]> {
  const schemas = schemasOf(snapshot.models.map(({ table }) => table));
  const { tables, strays } = await ddl.catalogue.readStructures(readerOf(database), schemas);
  const hasConditions = snapshot.models.some(({ indexes }) => indexes.some(({ where }) => where !== null));
  const expected = structuresOf(snapshot, ddl, hasConditions ? await readStructure(database, ddl) : "");
  // Beside tables of others, what the journal does not know of is theirs.
  if (ddl.manner.apart) {
    const others = new Map(snapshot.models.map(({ table, adopted }) => [table, adopted?.others ?? []]));
    const ours = (name: string) => without(tables.get(name), others.get(name) ?? []);
    return [...expected.keys()].flatMap((name) => compareTables(name, expected.get(name), ours(name))).map(shownTable);
  }
  const names = new Set([...expected.keys(), ...[...tables.keys()].filter((name) => !name.startsWith("_"))]);
  return [
    ...[...names].flatMap((name) => compareTables(name, expected.get(name), tables.get(name))),
    ...strays.map((stray) => `${stray} is in the database and not in the journal`),
  ];
}

/** Every table that the snapshot says there is, the engine's own included. */
export function structuresOf(snapshot: Snapshot, ddl: Ddl, fingerprint = ""): ReadonlyMap<string, Structure> {
  const { tables, indexes } = systemShapes(ddl, ddl.manner.apart ? 0 : snapshot.system);
  const system = tables.map((table) =>
    ddl.catalogue.describe(
      table,
      indexes.filter((index) => index.table === table.name),
    ),
  );
  const models = snapshot.models.map((model) => ddl.catalogue.describe(tableOf(model, [snapshot]), model.indexes, fingerprint));
  return new Map([...system, ...models].map((structure) => [structure.name, structure]));
}

/** A table without what was there when it was taken over, and what no field stands for. */
function without(table: Structure | undefined, names: readonly string[]): Structure | undefined {
  if (!table || names.length === 0) return table;
  const keep = (parts: ReadonlyMap<string, string>) => new Map([...parts].filter(([name]) => !names.includes(name)));
  return { ...table, columns: keep(table.columns), indexes: keep(table.indexes) };
}

function compareTables(name: string, expected: Structure | undefined, actual: Structure | undefined): string[] {
  if (!expected) return [`table ${name} is in the database and not in the journal`];
  if (!actual) return [`table ${name} is in the journal and not in the database`];
  const at = `table ${name}`;
  return [
    ...difference(`${at}: its form`, expected.traits.toSorted().join(", "), actual.traits.toSorted().join(", ")),
    ...difference(`${at}: its key`, expected.key.join(", "), actual.key.join(", ")),
    ...compareParts(`${at}: column`, expected.columns, actual.columns),
    ...compareParts(`${at}: index`, expected.indexes, actual.indexes),
  ];
}

function compareParts(what: string, expected: ReadonlyMap<string, string>, actual: ReadonlyMap<string, string>): string[] {
  return [...new Set([...expected.keys(), ...actual.keys()])].flatMap((name) => {
    const [ours, theirs] = [expected.get(name), actual.get(name)];
    if (ours === undefined) return [`${what} ${name} is in the database and not in the journal`];
    if (theirs === undefined) return [`${what} ${name} is in the journal and not in the database`];
    return difference(`${what} ${name}`, ours, theirs);
  });
}

// Where the words that the database has for a condition were not kept, only its presence can be told.
const unknownCondition = " WHERE …";

function difference(what: string, expected: string, actual: string): string[] {
  const isUnknown = expected.endsWith(unknownCondition);
  const compared = isUnknown ? actual.replace(/ WHERE .*$/s, unknownCondition) : actual;
  return expected === compared
    ? []
    : [`${what} is ${actual || "nothing"} in the database and ${expected || "nothing"} in the journal`];
}
