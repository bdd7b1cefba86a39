/** References, keys and required columns: constraints, some of which can be tied first and proved later, while nobody waits. */
import type { Online, Phase, ReferenceShape, References } from "../../../ddl.ts";
import { block, literal, quote, shorten } from "../text.ts";
import { partsOfTable, schemasOf } from "../../../../schema/table-name.ts";
import { createIndex } from "./indexes.ts";
import { inSchemas } from "./schemas.ts";

const list = (names: readonly string[]) => names.map(quote).join(", ");
const regclass = (table: string) => `${literal(quote(table))}::regclass`;

/** A constraint keeps its name when its table or column is renamed, so it is looked up by what it is. */
function onConstraints(table: string, deed: "DROP" | "VALIDATE", condition: string): string {
  const find = `SELECT conname FROM pg_constraint WHERE conrelid = ${regclass(table)} AND ${condition}`;
  const run = `EXECUTE format('ALTER TABLE %s ${deed} CONSTRAINT %I', ${regclass(table)}, c.conname)`;
  return block(`DECLARE c record; BEGIN FOR c IN ${find} LOOP ${run}; END LOOP; END`);
}

/** Of the constraint, against the columns' names. */
function holds(columns: readonly string[]): string {
  const names = columns.map((name) => literal(shorten(name))).join(", ");
  return `(SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(conkey) WITH ORDINALITY k(attnum, place) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.attnum) = ARRAY[${names}]`;
}

export const dropKey = (table: string) => onConstraints(table, "DROP", "contype = 'p'");

/** Deferrable, so that a migration may break a reference for a while; a unit's are checked at once. The server finds a free name. */
function addReference(table: string, { columns, table: target, key, rule = "" }: ReferenceShape): string {
  return `ALTER TABLE ${quote(table)} ADD FOREIGN KEY (${list(columns)}) REFERENCES ${quote(target)} (${list(key)})${rule} DEFERRABLE`;
}

export const postgresReferences: References = Object.freeze({
  add: addReference,
  drop: (table: string, { columns }: ReferenceShape) => onConstraints(table, "DROP", `contype = 'f' AND ${holds(columns)}`),
  named: false,
  orphans: null,
});

/** What is proved of the rows that are there once new ones are held to it. */
const together = (...sql: readonly string[]): Phase => ({ sql, alone: false, clean: null, unless: null });

export const postgresOnline: Online = Object.freeze<Online>({
  // Ended in between, the building leaves an index that is kept up to date and not used.
  createIndex: (index, table) => ({
    sql: [createIndex(index, table, "CONCURRENTLY ")],
    alone: true,
    clean: `DROP INDEX CONCURRENTLY IF EXISTS ${quote(index.name)}`,
    unless: `SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${inSchemas(schemasOf([index.name]))} AND c.relname = ${literal(partsOfTable(shorten(index.name)).name)} AND i.indisvalid`,
  }),
  addReference: (table, reference) => ({
    sql: [`${addReference(table, reference)} NOT VALID`],
    later: [together(onConstraints(table, "VALIDATE", `contype = 'f' AND ${holds(reference.columns)}`))],
  }),
});

/** SET NOT NULL looks at no row where a proved condition says the same. */
export function requireValue(
  table: string,
  column: string,
): { readonly sql: readonly string[]; readonly later: readonly Phase[] } {
  const at = `ALTER TABLE ${quote(table)}`;
  const name = quote(`_${partsOfTable(table).name}_${column}_required`);
  return {
    sql: [`${at} ADD CONSTRAINT ${name} CHECK (${quote(column)} IS NOT NULL) NOT VALID`],
    later: [
      together(`${at} VALIDATE CONSTRAINT ${name}`),
      together(`${at} ALTER COLUMN ${quote(column)} SET NOT NULL`, `${at} DROP CONSTRAINT IF EXISTS ${name}`),
    ],
  };
}
