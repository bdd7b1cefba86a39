/** Names for what is adopted: good ones where the database's allow it, predictable ones where they clash, ASCII always. */
import { partsOfTable } from "../../schema/table-name.ts";
import { nameFault, nameLengthMax } from "../../schema/names.ts";
import { camelCase, capitalize, pluralOf, singularOf, wordsOf } from "./words.ts";

/** Names of a generated file that a model's constant cannot have: words of TypeScript, and what the file imports. */
const taken: ReadonlySet<string> = new Set(
  `backend belongsTo bigint boolean bytes byDatabase choice date datetime decimal email float integer json list manyToMany me model now serial
  text time url uuid slug expr and or not everyone nobody hasMany hasOne generated
  arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for
  function if implements import in instanceof interface let new null package private protected public return static super switch
  this throw true try typeof undefined var void while with yield`.split(/\s+/),
);

/** The name of a table's model: `Album` and `album` → `albums`, `InvoiceLine` → `invoiceLines`. */
export function modelName(table: string): string {
  const words = wordsOf(table);
  const last = words.at(-1);
  const name = last === undefined ? "rows" : camelCase([...words.slice(0, -1), pluralOf(last)]);
  return taken.has(name) || nameFault(name, "model") !== null ? fitting(`${name}Rows`) : fitting(name);
}

/** Names that tables of several schemas would have as models. */
export function sharedNames(tables: readonly string[]): ReadonlySet<string> {
  const homes = Map.groupBy(tables, (table) => modelName(partsOfTable(table).name));
  const isShared = (named: readonly string[]) => new Set(named.map((table) => partsOfTable(table).schema)).size > 1;
  return new Set([...homes].filter(([, named]) => isShared(named)).map(([name]) => name));
}

/** The model's name of a table that may stand in another schema than the current one: it is named for both where others would have its name. */
export function tableName(table: string, shared: ReadonlySet<string>): string {
  const { schema, name } = partsOfTable(table);
  const plain = modelName(name);
  return schema !== null && shared.has(plain) ? modelName(`${schema}_${name}`) : plain;
}

/** The name of a column's field: `UnitPrice` and `unit_price` → `unitPrice`. */
export function fieldName(column: string): string {
  const words = wordsOf(column);
  const name = words.length === 0 ? "column" : camelCase(words);
  return nameFault(name, "field") === null ? name : fitting(`${name}Value`);
}

/**
 * The name of a relation by the column that holds its key: `artist_id` → `artist`, `ReportsTo` → `reportsTo`, and where the key
 * that it leads to is called `code`, `country_code` → `country`.
 */
export function relationName(column: string, target: { readonly model: string; readonly key: string }): string {
  const words = wordsOf(column);
  const key = wordsOf(target.key);
  const before = words.slice(0, words.length - key.length);
  if (before.length > 0 && key.every((word, index) => words[before.length + index] === word)) return fieldName(before.join("_"));
  const ends = words.at(-1);
  const isKey = ends === "id" || ends === "fk" || ends === "uuid";
  const rest = isKey ? words.slice(0, -1) : words;
  return rest.length === 0 ? oneOf(target.model) : fieldName(rest.join("_"));
}

/** `invoiceLines` → `invoiceLine`. */
export function oneOf(model: string): string {
  const words = wordsOf(model);
  return fieldName([...words.slice(0, -1), singularOf(words.at(-1) ?? "row")].join("_"));
}

/** `employees`, `reportsTo` → `employeesByReportsTo`. */
export function nameBy(name: string, relation: string): string {
  return fitting(`${name}By${capitalize(relation)}`);
}

/** Takes the first of the names that is free, and else the last with a number behind it. */
export function takeName(used: Set<string>, names: readonly string[]): string {
  const free = names.find((name) => !used.has(name));
  const base = names.at(-1) ?? "name";
  let name = free ?? base;
  for (let count = 2; used.has(name); count++) name = `${base.slice(0, nameLengthMax - String(count).length)}${count}`;
  used.add(name);
  return name;
}

function fitting(name: string): string {
  return name.slice(0, nameLengthMax);
}
