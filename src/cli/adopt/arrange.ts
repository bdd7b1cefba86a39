/** Arranges a catalog as models: which column is a field, which a relation, what the key is, and what cannot be served. */
import type { CatalogColumn, CatalogReference, CatalogTable } from "../../drivers/catalog.ts";
import type { Adopted, AdoptedKey, AdoptedMember, AdoptedModel, Remark } from "./adopted.ts";
import { linkJoins } from "./links.ts";
import { fieldName, nameBy, oneOf, relationName, sharedNames, tableName, takeName } from "./naming.ts";
import { partsOfTable, shownTable } from "../../schema/table-name.ts";

/** A model while it is arranged: names that are in use grow as relations are added. */
export interface Arranging {
  readonly name: string;
  readonly table: CatalogTable;
  readonly used: Set<string>;
  readonly members: AdoptedMember[];
  readonly served: readonly CatalogColumn[];
  readonly key: readonly string[] | null;
}

/** The product's own tables, and tables that a database keeps for itself. */
const own: ReadonlySet<string> = new Set(["_journal", "_changes", "_idempotency", "_commits"]);

/** @param without tables that are not to be adopted */
export function arrange(catalog: readonly CatalogTable[], without: readonly string[]): Adopted {
  const remarks: Remark[] = [];
  const journal = catalog.find(({ name }) => partsOfTable(name).name === "_journal");
  if (journal !== undefined)
    remarks.push({
      place: shownTable(journal.name),
      kind: "note",
      why: "Holdfast has been at work here: what it made is served whole, with versions, by the backend file that made it",
    });
  const used = new Set<string>();
  const shared = sharedNames(catalog.map(({ name }) => name));
  const models = catalog
    .filter(({ name }) => !without.includes(shownTable(name)) && !own.has(partsOfTable(name).name))
    .flatMap((table) => start(table, { used, remarks, shared }));
  const byTable = new Map(models.map((model) => [model.table.name, model]));
  const keys = models.map((model) => new Map(findReferences(model, byTable, remarks)));
  for (const [index, model] of models.entries()) addFields(model, keys[index] as ReadonlyMap<string, Leading>, remarks);
  for (const model of models) addInverses(model, models);
  linkJoins(models);
  return { models: models.map(finish), remarks };
}

interface Starting {
  readonly used: Set<string>;
  readonly remarks: Remark[];
  /** Names that tables of several schemas have. */
  readonly shared: ReadonlySet<string>;
}

function start(table: CatalogTable, { used, remarks, shared }: Starting): Arranging[] {
  const remark = (column: string | null, kind: Remark["kind"], why: string) =>
    void remarks.push({ place: shownTable(column === null ? table.name : `${table.name}.${column}`), kind, why });
  const served = table.columns.filter(({ type }) => type !== null);
  for (const { name, type, why } of table.columns) {
    if (type === null) remark(name, "left out", why ?? "no field type holds its values");
    else if (why !== null) remark(name, "note", why);
  }
  if (served.length === 0) {
    remark(null, "left out", table.fault ?? "has no column that could be served");
    return [];
  }
  const name = takeName(used, [tableName(table.name, shared)]);
  const key = keyOf(table, served);
  if (key === null && table.kind === "table")
    remark(
      null,
      "note",
      `${table.key.length === 0 ? "has no primary key" : "has a key that no address can hold"}: it is read only, and its rows have no address`,
    );
  if (key === null && table.references.length > 0) remark(null, "note", "its foreign keys are followed from its rows alone");
  for (const check of table.checks) remark(null, "note", `the database alone judges CHECK (${check})`);
  return [{ name, table, used: new Set(), members: [], served, key }];
}

const unkeyed: ReadonlySet<string> = new Set(["json", "bytes"]);

function keyOf(table: CatalogTable, served: readonly CatalogColumn[]): readonly string[] | null {
  if (table.kind === "view" || table.key.length === 0) return null;
  const isFit = table.key.every((name) => served.some((column) => column.name === name && !unkeyed.has(column.type?.name ?? "")));
  return isFit ? table.key : null;
}

interface Leading {
  readonly reference: CatalogReference;
  readonly target: Arranging;
  /** In the order of the key that they lead to. */
  readonly columns: readonly CatalogColumn[];
}

/** The foreign keys that become relations, by the column that comes first in the table. */
function findReferences(model: Arranging, byTable: ReadonlyMap<string, Arranging>, remarks: Remark[]): [string, Leading][] {
  const { table, served } = model;
  const found = new Map<string, Leading>();
  const held = new Set<string>();
  for (const reference of table.references) {
    const place = shownTable(`${table.name}.${reference.columns.join(", ")}`);
    const there = shownTable(reference.table);
    const target = byTable.get(reference.table);
    const columns = columnsTo(reference, target, served);
    const why =
      target === undefined
        ? `it refers to ${there}, which is not served`
        : columns === null
          ? `it refers to ${there}.${reference.targets.join(", ")}, which is not the key there`
          : unlike({ model, target, columns, reference, byTable, held });
    if (why !== null || !target || !columns) {
      remarks.push({ place, kind: "note", why: `${why}: no relation, but plain fields` });
      continue;
    }
    for (const { name } of columns) held.add(name);
    const first = served.find((column) => columns.includes(column)) as CatalogColumn;
    found.set(first.name, { reference, target, columns });
    if (reference.onDelete === "other")
      remarks.push({
        place,
        kind: "note",
        why: `when the row of ${there} goes, the database does more than Holdfast knows of`,
      });
  }
  return [...found];
}

/** The columns that hold the target's key, in its order; null where it is not its key that they hold. */
function columnsTo(
  { columns, targets }: CatalogReference,
  target: Arranging | undefined,
  served: readonly CatalogColumn[],
): readonly CatalogColumn[] | null {
  if (!target?.key || target.key.length !== targets.length) return null;
  const found = target.key.map((part) => served.find(({ name }) => name === columns[targets.indexOf(part)]));
  return found.every((column) => column !== undefined) ? found : null;
}

interface Judging {
  readonly model: Arranging;
  readonly target: Arranging;
  readonly columns: readonly CatalogColumn[];
  readonly reference: CatalogReference;
  readonly byTable: ReadonlyMap<string, Arranging>;
  /** Columns that another relation has. */
  readonly held: ReadonlySet<string>;
}

/** Why a foreign key cannot be a relation, or null. */
function unlike({ model, target, columns, reference, byTable, held }: Judging): string | null {
  const names = columns.map(({ name }) => name);
  if (names.some((name) => held.has(name)))
    return `its foreign key to ${shownTable(reference.table)} shares a column with another`;
  if (columns.some((column, index) => !isLike(column, target, index)))
    return `it is of another type than the key of ${shownTable(reference.table)}`;
  if (columns.some(({ optional }) => optional !== columns[0]?.optional)) return "only some of its columns may be null";
  const inKey = names.filter((name) => model.key?.includes(name)).length;
  const start = model.key?.indexOf(names[0] ?? "") ?? -1;
  if (inKey > 0 && names.length > 1 && names.some((name, index) => model.key?.[start + index] !== name))
    return "its columns stand otherwise in the key of its own table";
  return leadsInCircle(model, reference, byTable) ? "it is its row's key, and leads in a circle" : null;
}

const kinds: Readonly<Record<string, string>> = {
  bigint: "integer",
  choice: "text",
  uuid: "text",
  float: "integer",
  decimal: "integer",
};

function isLike(column: CatalogColumn, target: Arranging, index: number): boolean {
  const key = target.served.find(({ name }) => name === target.key?.[index]);
  const kind = (name: string | undefined) => kinds[name ?? ""] ?? name;
  return kind(column.type?.name) === kind(key?.type?.name);
}

// Keys that are foreign keys of each other have no type of their own.
function leadsInCircle(model: Arranging, reference: CatalogReference, byTable: ReadonlyMap<string, Arranging>): boolean {
  const isOfKey = (columns: readonly string[], key: readonly string[] | null) => columns.some((column) => key?.includes(column));
  if (!isOfKey(reference.columns, model.key)) return false;
  const seen = new Set<string>();
  const waiting = [reference.table];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === model.table.name) return true;
    const next = byTable.get(name);
    if (!next || seen.has(name)) continue;
    seen.add(name);
    waiting.push(...next.table.references.filter(({ columns }) => isOfKey(columns, next.key)).map(({ table }) => table));
  }
  return false;
}

function addFields(model: Arranging, keys: ReadonlyMap<string, Leading>, remarks: Remark[]): void {
  const { table, used, members } = model;
  const isUnique = (names: readonly string[]) =>
    [...table.uniques, ...(model.key ? [model.key] : [])].some(
      (set) => set.length === names.length && names.every((name) => set.includes(name)),
    );
  const held = new Set([...keys.values()].flatMap(({ columns }) => columns.map(({ name }) => name)));
  // Fields come first to their names: a relation can be called by its column as well.
  const named = new Map<string, string>();
  for (const column of model.served) if (!held.has(column.name)) named.set(column.name, takeName(used, [fieldName(column.name)]));
  for (const column of model.served) {
    const name = named.get(column.name);
    const leading = keys.get(column.name);
    if (name !== undefined)
      members.push({ kind: "field", name, column, unique: isUnique([column.name]) && !isKey(model, column) });
    if (leading) members.push(relate(model, leading, isUnique(leading.columns.map((one) => one.name))));
    if (leading?.reference.onDelete === "setNull" && !column.optional)
      remarks.push({
        place: shownTable(`${table.name}.${column.name}`),
        kind: "note",
        why: "ON DELETE SET NULL of a column that is never null",
      });
  }
}

function isKey({ key }: Arranging, { name }: CatalogColumn): boolean {
  return key?.length === 1 && key[0] === name;
}

function relate({ used }: Arranging, { reference, target, columns }: Leading, unique: boolean): AdoptedKey {
  // Of several columns, the last tells most: the others are often a tenant's or an owner's.
  const last = columns.at(-1)?.name ?? "";
  const by = relationName(last, { model: target.name, key: target.key?.at(-1) ?? "" });
  const names = columns.length === 1 ? [by, fieldName(last)] : [oneOf(target.name), by];
  return {
    kind: "belongsTo",
    name: takeName(used, names),
    columns,
    natives: (target.key ?? []).map((part) => target.served.find(({ name }) => name === part)?.native ?? ""),
    unique,
    reference,
    target: target.name,
    inverse: "",
  };
}

/** Names the other side of every relation, once every field has its name. */
function addInverses(model: Arranging, models: readonly Arranging[]): void {
  for (const [index, member] of model.members.entries()) {
    if (member.kind !== "belongsTo") continue;
    const target = models.find(({ name }) => name === member.target) as Arranging;
    const rivals = model.members.filter((other) => other.kind === "belongsTo" && other.target === member.target);
    const plain = member.unique ? oneOf(model.name) : model.name;
    const by = nameBy(plain, member.name);
    const names = rivals.length > 1 || target === model ? [by] : [plain, by];
    model.members[index] = { ...member, inverse: takeName(target.used, names) };
  }
}

function finish({ name, table, members, key, served }: Arranging): AdoptedModel {
  const named = new Map(
    members.flatMap((member) => {
      if (member.kind === "manyToMany") return [];
      const columns = member.kind === "field" ? [member.column] : member.columns;
      return columns.map((column) => [column.name, member.name] as const);
    }),
  );
  const fieldsOf = (columns: readonly string[]) => [...new Set(columns.map((column) => named.get(column) ?? ""))];
  const areServed = (columns: readonly string[]) => columns.every((column) => named.has(column));
  const told = new Set<string>();
  const isNews = (fields: readonly string[]) => !told.has(fields.join()) && told.add(fields.join()).size > 0;
  return {
    name,
    table,
    members,
    key: key === null ? null : fieldsOf(key),
    uniques: table.uniques
      .filter((columns) => columns.length > 1 && areServed(columns))
      .map(fieldsOf)
      .filter((fields) => fields.length > 1 && isNews(fields)),
    indexes: table.indexes.filter(areServed).map(fieldsOf).filter(isNews),
    without: table.columns.filter((column) => !served.includes(column)).map((column) => column.name),
  };
}
