/** The oracle's answers to reads: filter, sort, page and shape over plain arrays. */
import { allow, OracleRefusal } from "./refusals.ts";
import {
  hasField,
  inner,
  innerField,
  isLive,
  type Placed,
  related,
  type Sight,
  splitPath,
  steps,
  viewerSight,
  holds,
  wholeSight,
} from "./rules.ts";
import { comparable, compares, fold, operatorsOf, order, words, type Comparable } from "./values.ts";
import { type FieldDef, fieldOf, modelOf, type ModelDef, relationOf, type Row, type Viewer, type World } from "./world.ts";

export interface Asked {
  readonly world: World;
  readonly viewer: Viewer;
  readonly sight: Sight;
}

export type Where = Readonly<Record<string, unknown>>;
type Json = Record<string, unknown>;

export function ask(world: World, viewer: Viewer): Asked {
  return { world, viewer, sight: viewerSight(world, viewer) };
}

/** Whether a row passes a caller's filter. */
export function passes(asked: Asked, at: Placed, where: Where): boolean {
  const { model, row } = at;
  return Object.entries(where).every(([name, wanted]) => {
    if (name === "and") return (wanted as Where[]).every((one) => passes(asked, at, one));
    if (name === "or") return (wanted as Where[]).some((one) => passes(asked, at, one));
    if (name === "not") return !passes(asked, at, wanted as Where);
    if (name === "search") return searches(asked, at, wanted as string);
    return passesMember({ asked, model, row }, name.split("."), wanted);
  });
}

function searches(asked: Asked, { model, row }: Placed, needle: string): boolean {
  const texts = model.search
    .filter((name) => hasField(model, name, asked.viewer))
    .map((name) => asked.sight.value(model, row, name))
    .filter((text) => text !== null)
    .map((text) => fold(text as string));
  return texts.some((text) => words(needle).every((word) => text.includes(word)));
}

interface At {
  readonly asked: Asked;
  readonly model: ModelDef;
  readonly row: Row;
}

function passesMember({ asked, model, row }: At, path: readonly string[], wanted: unknown): boolean {
  const [name = "", ...rest] = path;
  const relation = relationOf(model, name);
  const target = relation ? modelOf(asked.world, relation.to) : model;
  if (relation && rest.length > 0) {
    return related(asked.sight, { model, row }, name).some((at) =>
      passesMember({ asked, model: target, row: at.row }, rest, wanted),
    );
  }
  if (relation?.many) {
    return Object.entries(wanted as Where).every(([quantifier, where]) => {
      const found = related(asked.sight, { model, row }, name).map((at) => passes(asked, at, where as Where));
      return quantifier === "some"
        ? found.includes(true)
        : quantifier === "every"
          ? !found.includes(false)
          : !found.includes(true);
    });
  }
  if (relation && isWhere(fieldOf(model, name), wanted))
    return related(asked.sight, { model, row }, name).some((at) => passes(asked, at, wanted));
  const field = fieldOf(model, name) as FieldDef;
  return passesField(innerField(field, rest), inner(asked.sight.value(model, row, name), rest), {
    wanted,
    isLoose: rest.length > 0 && !field.shape,
  });
}

// An object under a to-one relation that holds only comparing words of its key speaks of the key.
function isWhere(key: FieldDef | undefined, wanted: unknown): wanted is Where {
  const known = key ? operatorsOf(key.kind) : [];
  return typeof wanted === "object" && wanted !== null && !Object.keys(wanted).every((name) => known.includes(name));
}

function passesField(field: FieldDef, value: unknown, asked: { readonly wanted: unknown; readonly isLoose: boolean }): boolean {
  const { wanted, isLoose } = asked;
  if (typeof wanted !== "object" || wanted === null) return passesField(field, value, { wanted: { eq: wanted }, isLoose });
  return Object.entries(wanted).every(([operator, operand]) => {
    if ((operator === "eq" || operator === "ne") && operand === null) return (value === null) === (operator === "eq");
    if (operator === "isNull") return (value === null) === operand;
    const operands = (operator === "in" || operator === "nin" || operator === "between" ? operand : [operand]) as unknown[];
    if (field.kind === "list") return value !== null && holdsElement(field.item as FieldDef, value as unknown[], operand);
    if (isLoose) return comparesLoosely(operator, value, operands);
    return compares(
      operator,
      comparable(field, value),
      operands.map((one) => (isPart(operator) ? String(one) : comparable(field, one))),
    );
  });
}

function isPart(operator: string): boolean {
  return (
    operator === "contains" ||
    operator === "startsWith" ||
    operator === "endsWith" ||
    operator === "like" ||
    operator === "search"
  );
}

function holdsElement(item: FieldDef, elements: readonly unknown[], wanted: unknown): boolean {
  return elements.some((element) => compares("eq", comparable(item, element), [comparable(item, wanted)]));
}

// Inside a document without a declared shape a value compares with values of its own type alone.
function comparesLoosely(operator: string, value: unknown, operands: readonly unknown[]): boolean {
  if (operator === "ne") return !comparesLoosely("eq", value, operands);
  if (operator === "nin") return !comparesLoosely("in", value, operands);
  const alike = operands.filter((one) => typeof one === typeof value).map(scalar);
  if (operator !== "in" && alike.length < operands.length) return false;
  return compares(operator, typeof value === "object" ? null : scalar(value), alike);
}

function scalar(value: unknown): Comparable {
  return typeof value === "boolean" ? Number(value) : (value as Comparable);
}

/** Terms of a sort: `-price,title`, or a list of terms. */
export function sortTerms(
  orderBy: string | readonly string[] | undefined,
): { readonly path: string[]; readonly descending: boolean }[] {
  const terms = typeof orderBy === "string" ? orderBy.split(",") : (orderBy ?? []);
  return terms.map((term) => ({ path: term.replace(/^-/, "").split("."), descending: term.startsWith("-") }));
}

/** Rows in order; the key is appended in the direction of the last term. */
export function sortRows(
  asked: Asked,
  model: ModelDef,
  given: { readonly rows: readonly Row[]; readonly orderBy: string | readonly string[] | undefined },
): Row[] {
  const terms = sortTerms(given.orderBy);
  const descending = terms.at(-1)?.descending ?? false;
  const whole = [...terms, ...model.key.map((name) => ({ path: [name], descending }))];
  const keyed = given.rows.map((row) => ({ row, keys: whole.map(({ path }) => sortKey(asked, { model, row }, path)) }));
  keyed.sort((left, right) => {
    for (const [index, term] of whole.entries()) {
      const compared = order(left.keys[index] as Comparable | null, right.keys[index] as Comparable | null);
      if (compared !== 0) return term.descending ? -compared : compared;
    }
    return 0;
  });
  return keyed.map(({ row }) => row);
}

/** The value at a path through to-one relations, to be compared; null where there is no visible row on the way. */
export function sortKey(
  asked: Asked,
  from: { readonly model: ModelDef; readonly row: Row },
  path: readonly string[],
): Comparable | null {
  const { relations, field, inside } = splitPath(from.model, path, asked.world);
  const at = steps(asked.sight, from, relations)[0];
  if (!at) return null;
  const def = fieldOf(at.model, field) as FieldDef;
  return comparable(innerField(def, inside), inner(asked.sight.value(at.model, at.row, field), inside));
}

export interface Listing {
  readonly where?: Where | undefined;
  readonly orderBy?: string | readonly string[] | undefined;
  readonly select?: Json | undefined;
  readonly trash?: "without" | "with" | "only" | undefined;
}

/** The rows that a viewer's query speaks of, unsorted. */
export function rowsOf(asked: Asked, model: ModelDef, listing: Listing): Row[] {
  allow(model.rules.read, asked.viewer);
  const trash = listing.trash ?? "without";
  if (trash !== "without") allow(model.rules.delete, asked.viewer);
  const rows = asked.world.rows.get(model.name) ?? [];
  return rows.filter((row) => isWanted(asked, model, { row, trash }) && passes(asked, { model, row }, listing.where ?? {}));
}

// Rows in the trash are there for who may delete them.
function isWanted({ world, viewer, sight }: Asked, model: ModelDef, { row, trash }: { row: Row; trash: string }): boolean {
  if (isLive(row)) return trash !== "only" && sight.sees(model, row);
  if (trash === "without") return false;
  const seen = { whole: wholeSight(world), viewer };
  return holds(model.rules.read, [{ model, row }], seen) && holds(model.rules.delete, [{ model, row }], seen);
}

/** Every row of a list, in order and shaped. */
export function listAll(asked: Asked, model: ModelDef, listing: Listing): Json[] {
  const rows = sortRows(asked, model, { rows: rowsOf(asked, model, listing), orderBy: listing.orderBy });
  return rows.map((row) => shape(asked, { model, row }, listing.select));
}

/** One row by its key. */
export function getOne(
  asked: Asked,
  model: ModelDef,
  wanted: { readonly row: Row | null; readonly select: Json | undefined },
): Json {
  allow(model.rules.read, asked.viewer);
  if (!wanted.row || !asked.sight.sees(model, wanted.row)) throw new OracleRefusal("not_found");
  return shape(asked, { model, row: wanted.row }, wanted.select);
}

const expandSize = 20;

/** A row as a selection wants it. */
export function shape(asked: Asked, at: { readonly model: ModelDef; readonly row: Row }, select: Json | undefined): Json {
  const { model, row } = at;
  const names = Object.keys(select ?? {}).filter((name) => !name.startsWith("$"));
  const shaped: Json = {};
  if (names.length === 0 || names.includes("*")) {
    for (const { name } of model.fields)
      if (hasField(model, name, asked.viewer)) shaped[name] = asked.sight.value(model, row, name);
  }
  for (const name of names) {
    if (name === "*") continue;
    const wanted = select?.[name];
    const relation = relationOf(model, name);
    const isKey = wanted === true && fieldOf(model, name) !== undefined;
    if (!relation || isKey) shaped[name] = asked.sight.value(model, row, name);
    else {
      const inside = wanted === true ? undefined : (wanted as Json);
      const target = modelOf(asked.world, relation.to);
      const rows = related(asked.sight, at, name).map((next) => next.row);
      const shapeAll = (list: readonly Row[]) => list.map((next) => shape(asked, { model: target, row: next }, inside));
      shaped[name] = relation.many
        ? shapeAll(expanded(asked, target, { rows, select: inside ?? {} }))
        : (shapeAll(rows)[0] ?? null);
    }
  }
  return shaped;
}

function expanded(
  asked: Asked,
  model: ModelDef,
  { rows, select }: { readonly rows: readonly Row[]; readonly select: Json },
): Row[] {
  const found = rows.filter((row) => passes(asked, { model, row }, (select["$where"] ?? {}) as Where));
  const sorted = sortRows(asked, model, { rows: found, orderBy: select["$orderBy"] as string | undefined });
  return sorted.slice(0, (select["$limit"] as number | undefined) ?? expandSize);
}
