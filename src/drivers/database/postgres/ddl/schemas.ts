/** Schemas in queries of PostgreSQL's catalogue: which of them are looked at, and how a table is named that stands in another than the current one. */
import type { Row } from "../../../database.ts";
import { partsOfTable, tableIn } from "../../../../schema/table-name.ts";
import { block, literal, quote } from "../text.ts";

/** A condition on `n`, a row of pg_namespace: one of the named schemas, or without names the current one. */
export function inSchemas(schemas: readonly string[] = []): string {
  return schemas.length === 0 ? "n.nspname = current_schema()" : `n.nspname in (${schemas.map(literal).join(", ")})`;
}

/** A condition on `n`: the current schema, and those that are named. */
export function inCurrentAnd(schemas: readonly string[]): string {
  return schemas.length === 0 ? inSchemas() : `(${inSchemas()} or ${inSchemas(schemas)})`;
}

/** SQL over a row of pg_class, for `nameFrom`: no text of PostgreSQL can hold both names as one. */
export function nameText(row: string): string {
  const home = `(select h.nspname from pg_namespace h where h.oid = ${row}.relnamespace and h.nspname is distinct from current_schema())`;
  return `json_build_array(${home}, ${row}.relname)::text`;
}

/** The same for people, as in `sales.orders`. */
export function shownText(row: string): string {
  const home = `(select h.nspname || '.' from pg_namespace h where h.oid = ${row}.relnamespace and h.nspname is distinct from current_schema())`;
  return `coalesce(${home}, '') || ${row}.relname`;
}

/** The name, with its schema where that is not the current one. */
export function nameFrom(value: Row[number] | undefined): string {
  const [schema, name] = JSON.parse(String(value)) as [string | null, string];
  return tableIn(schema, name);
}

/** Makes the schema that a table is to stand in. Who may not make one need not, where it is there. */
export function createSchema(table: string): readonly string[] {
  const { schema } = partsOfTable(table);
  if (schema === null) return [];
  const name = quote(schema);
  return [block(`BEGIN IF to_regnamespace(${literal(name)}) IS NULL THEN CREATE SCHEMA ${name}; END IF; END`)];
}
