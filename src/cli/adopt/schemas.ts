/** Which schemas of a database are adopted, and what a person should know of those that are not. */
import { nearest } from "../../base/suggest.ts";
import type { CatalogSchema } from "../../drivers/catalog.ts";
import { failCli } from "../errors.ts";

/**
 * The names of `--schema`, each of which may be several with commas.
 * @throws usage for one that there is not
 */
export function namedSchemas(flag: readonly string[], known: readonly CatalogSchema[]): readonly string[] {
  const named = [...new Set(flag.flatMap((one) => one.split(",")).map((one) => one.trim()))].filter((one) => one !== "");
  const names = known.map(({ name }) => name);
  const missing = named.find((name) => !names.includes(name));
  if (missing === undefined) return named;
  const near = nearest(missing, names);
  const hint = near === null ? ` It has ${names.join(", ") || "none"}.` : ` Did you mean ${JSON.stringify(near)}?`;
  throw failCli("usage", { fields: { fault: `The database has no tables in a schema ${JSON.stringify(missing)}.${hint}` } });
}

/** The schemas that are not adopted. */
export function otherSchemas(known: readonly CatalogSchema[], named: readonly string[]): readonly CatalogSchema[] {
  return known.filter(({ name, isCurrent }) => (named.length === 0 ? !isCurrent : !named.includes(name)));
}

/** A sentence that names them, and the flag that adopts all; null where there are none. */
export function tellOthers(others: readonly CatalogSchema[], known: readonly CatalogSchema[]): string | null {
  if (others.length === 0) return null;
  const listed = others.map(({ name, tables }) => `${name} (${tables} ${tables === 1 ? "table" : "tables"})`).join(", ");
  const all = known.map(({ name }) => name).join(",");
  const what = others.length === 1 ? "The schema" : "The schemas";
  return `${what} ${listed} ${others.length === 1 ? "is" : "are"} not adopted: --schema ${quoted(all)} adopts every one, or name those that you want.`;
}

function quoted(text: string): string {
  return /^[\w,.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
