/** Arranges a catalog as models: which column is a field, which a relation, what the key is, and what cannot be served. */
import type { CatalogColumn, CatalogReference, CatalogTable } from "../../drivers/catalog.ts";
import type { Adopted, AdoptedField, AdoptedKey, AdoptedMember, AdoptedModel, Remark } from "./adopted.ts";
import { linkJoins } from "./links.ts";
import { fieldName, modelName, nameBy, oneOf, relationName, takeName } from "./naming.ts";

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
const own: ReadonlySet<string> = new Set(["_journal", "_changes", "_idempotency"]);

/** @param without tables that are not to be adopted */
export function arrange(catalog: readonly CatalogTable[], without: readonly string[]): Adopted {
  const remarks: Remark[] = [];
  const used = new Set<string>();
  const models = catalog
    .filter(({ name }) => !without.includes(name) && !own.has(name))
    .flatMap((table) => start(table, { used, remarks }));
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
}

function start(table: CatalogTable, { used, remarks }: Starting): Arranging[] {
  const remark = (column: string | null, kind: Remark["kind"], why: string) =>
    void remarks.push({ place: column === null ? table.name : `${table.name}.${column}`, kind, why });
  const served = table.columns.filter(({ type }) => type !== null);
  for (const { name, type, why } of table.columns) {
    if (type === null) remark(name, "left out", why ?? "no field type holds its values");
    else if (why !== null) remark(name, "note", why);
  }
  if (served.length === 0) {
    remark(null, "left out", "has no column that could be served");
    return [];
  }
  const name = takeName(used, [modelName(table.name)]);
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
}

/** The foreign keys that become relations, by their column. */
function findReferences(model: Arranging, byTable: ReadonlyMap<string, Arranging>, remarks: Remark[]): [string, Leading][] {
  const { table, served } = model;
  const found = new Map<string, Leading>();
  for (const reference of table.references) {
    const { columns } = reference;
    const target = byTable.get(reference.table);
    const place = `${table.name}.${columns.join(", ")}`;
    const leaveOut = (why: string) => void remarks.push({ place, kind: "note", why: `${why}: no relation, but plain fields` });
    const column = served.find(({ name }) => name === columns[0]);
    if (columns.length > 1) leaveOut(`its foreign key to ${reference.table} has ${columns.length} columns`);
    else if (!target) leaveOut(`it refers to ${reference.table}, which is not served`);
    else if (!column || found.has(column.name)) leaveOut(`its foreign key to ${reference.table} is one of several`);
    else if (target.key?.length !== 1 || target.key[0] !== reference.targets[0])
      leaveOut(`it refers to ${reference.table}.${reference.targets.join(", ")}, which is not the key there`);
    else if (!isLike(column, target)) leaveOut(`it is of another type than ${reference.table}.${target.key[0]}`);
    else if (leadsInCircle(model, reference, byTable)) leaveOut(`it is its row's key, and leads in a circle`);
    else {
      found.set(column.name, { reference, target });
      if (reference.onDelete === "other")
        remarks.push({
          place,
          kind: "note",
          why: `when the row of ${reference.table} goes, the database does more than Holdfast knows of`,
        });
    }
  }
  return [...found];
}

const kinds: Readonly<Record<string, string>> = {
  bigint: "integer",
  choice: "text",
  uuid: "text",
  float: "integer",
  decimal: "integer",
};

function isLike(column: CatalogColumn, target: Arranging): boolean {
  const key = target.served.find(({ name }) => name === target.key?.[0]);
  const kind = (name: string | undefined) => kinds[name ?? ""] ?? name;
  return kind(column.type?.name) === kind(key?.type?.name);
}

// Keys that are foreign keys of each other have no type of their own.
function leadsInCircle(model: Arranging, reference: CatalogReference, byTable: ReadonlyMap<string, Arranging>): boolean {
  if (model.key?.length !== 1 || model.key[0] !== reference.columns[0]) return false;
  const seen = new Set([model.table.name]);
  let next = byTable.get(reference.table);
  while (next) {
    const { table, key }: Arranging = next;
    if (seen.has(table.name)) return true;
    seen.add(table.name);
    const onward = table.references.find(({ columns }) => columns.length === 1 && key?.length === 1 && columns[0] === key[0]);
    next = onward === undefined ? undefined : byTable.get(onward.table);
  }
  return false;
}

function addFields(model: Arranging, keys: ReadonlyMap<string, Leading>, remarks: Remark[]): void {
  const { table, used, members } = model;
  const isUnique = (name: string) => table.uniques.some((columns) => columns.length === 1 && columns[0] === name);
  // Fields come first to their names: a relation can be called by its column as well.
  const named = new Map<string, string>();
  for (const column of model.served) if (!keys.has(column.name)) named.set(column.name, takeName(used, [fieldName(column.name)]));
  for (const column of model.served) {
    const leading = keys.get(column.name);
    if (!leading) {
      members.push({
        kind: "field",
        name: named.get(column.name) as string,
        column,
        unique: isUnique(column.name),
      } satisfies AdoptedField);
      continue;
    }
    const name = takeName(used, [relationName(column.name, leading.target.name), fieldName(column.name)]);
    const onKey = model.key?.length === 1 && model.key[0] === column.name;
    const { reference, target } = leading;
    if (reference.onDelete === "setNull" && !column.optional)
      remarks.push({
        place: `${table.name}.${column.name}`,
        kind: "note",
        why: "ON DELETE SET NULL of a column that is never null",
      });
    members.push({
      kind: "belongsTo",
      name,
      column,
      unique: isUnique(column.name) || onKey,
      reference,
      target: target.name,
      inverse: "",
    } satisfies AdoptedKey);
  }
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
    members.flatMap((member) => (member.kind === "manyToMany" ? [] : [[member.column.name, member.name] as const])),
  );
  const fieldsOf = (columns: readonly string[]) => columns.map((column) => named.get(column) ?? "");
  const areServed = (columns: readonly string[]) => columns.every((column) => named.has(column));
  return {
    name,
    table,
    members,
    key: key === null ? null : fieldsOf(key),
    uniques: table.uniques.filter((columns) => columns.length > 1 && areServed(columns)).map(fieldsOf),
    indexes: table.indexes.filter((columns) => areServed(columns) && !table.uniques.includes(columns)).map(fieldsOf),
    without: table.columns.filter((column) => !served.includes(column)).map((column) => column.name),
  };
}
