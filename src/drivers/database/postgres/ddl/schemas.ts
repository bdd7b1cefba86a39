/** Schemas in queries of PostgreSQL's catalogue: which of them are looked at, and how a table is named that stands in another than the current one. */
import type { Row } from "../../../database.ts";
import type { ColumnShape } from "../../../ddl.ts";
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
  return schema === null ? [] : [createQuoted(quote(schema))];
}

function createQuoted(name: string): string {
  return block(`BEGIN IF to_regnamespace(${literal(name)}) IS NULL THEN CREATE SCHEMA ${name}; END IF; END`);
}

const homePattern = /^("(?:[^"]|"")+"|[a-z_][\w$]*)\./;

/** Makes the enumerations of which columns are, with the schemas that they stand in, where these are not there yet. */
export function createTypes(columns: readonly Pick<ColumnShape, "native">[]): readonly string[] {
  return columns.flatMap(({ native }) => {
    if (!native?.values) return [];
    const { type, values } = native;
    const home = homePattern.exec(type)?.[1];
    const members = values.map(literal).join(", ");
    const create = block(
      `BEGIN IF to_regtype(${literal(type)}) IS NULL THEN CREATE TYPE ${type} AS ENUM (${members}); END IF; END`,
    );
    return home === undefined ? [create] : [createQuoted(home), create];
  });
}

/** Takes in the values that an enumeration has not, each in its place. Those that are wanted no more stay. */
export function extendType(from: ColumnShape, to: ColumnShape): readonly string[] {
  const [known, wanted] = [from.native?.values, to.native?.values];
  if (!known || !wanted || from.native?.type !== to.native?.type) return [];
  return wanted.flatMap((value, index) => {
    if (known.includes(value)) return [];
    const [before, next] = [wanted[index - 1], wanted.slice(index + 1).find((one) => known.includes(one))];
    const place = before !== undefined ? ` AFTER ${literal(before)}` : next === undefined ? "" : ` BEFORE ${literal(next)}`;
    return [`ALTER TYPE ${String(to.native?.type)} ADD VALUE IF NOT EXISTS ${literal(value)}${place}`];
  });
}
