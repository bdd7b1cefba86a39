/** Compiles conditions and terms into SQL text; every value is a slot, every name comes from the compiled schema. */
import { assert } from "../../base/errors.ts";
import type { Dialect, Form, Inside } from "../../drivers/dialect.ts";
import { always, type Expression, type Filter, type Source, type Term } from "../../schema/filter.ts";
import { looseType } from "../../schema/fields/json.ts";
import { parseKeyText } from "../../schema/key.ts";
import type { Field, Model, Relation, Schema } from "../../schema/schema.ts";
import type { Value } from "../../schema/value.ts";
import { converterFor, documentPath, keyPartConverter } from "./convert.ts";
import { compileExpression } from "./expression.ts";
import { bindText, bindTo, columnForm, formOf, looseForm } from "./form.ts";
import { keyTextSql } from "../key.ts";
import { markFor, type Slots } from "./slot.ts";
import type { Step } from "../plan/plan.ts";

/** What compiling carries along. `aliases` are the rows in reach, innermost last. */
export interface Compiling {
  readonly dialect: Dialect;
  readonly schema: Schema;
  readonly slots: Slots;
  readonly aliases: readonly string[];
  /** The values of the caller's filter are texts from a URL. */
  readonly texts: boolean;
  /** Makes a table alias that is used nowhere else in the statement. */
  readonly nextAlias: () => string;
  /** In a write's rule, what stands for a field of the row as the write leaves it; in an aggregate, for a result. */
  readonly instead?: ReadonlyMap<Field, string>;
}

export function startCompiling(dialect: Dialect, schema: Schema, texts: boolean): Compiling {
  let count = 0;
  return { dialect, schema, slots: { all: [] }, aliases: [], texts, nextAlias: () => `t${count++}` };
}

/** The same, one row further in. */
export function inRow(compiling: Compiling, alias: string): Compiling {
  return { ...compiling, aliases: [...compiling.aliases, alias] };
}

/** A condition that is true, false or null; null counts as false. */
export function compileFilter(filter: Filter, c: Compiling): string {
  switch (filter.op) {
    case "true":
      return "1 = 1";
    case "false":
      return "1 = 0";
    case "and":
    case "or":
      return `(${filter.args.map((arg) => compileFilter(arg, c)).join(` ${filter.op} `)})`;
    case "not":
      return c.dialect.not(compileFilter(filter.arg, c));
    case "compare":
      return compileCompare(filter, c);
    case "fact":
      throw new Error("guard() folds facts before a plan is compiled");
    default:
      return compileRelated(filter, c);
  }
}

type Compare = Extract<Filter, { op: "compare" }>;

function compileCompare(filter: Compare, c: Compiling): string {
  const { operator } = filter;
  const { parts } = filter.left.field;
  const [whole] = filter.right;
  if (parts && whole && (operator === "eq" || operator === "ne") && !(whole.from === "term" && !whole.term.field.parts)) {
    const same = compileKeyEquality(filter, parts, c);
    return operator === "eq" ? same : c.dialect.not(same);
  }
  const left = compileTerm(filter.left, c, insideAs(filter));
  const parameter = (index: number) => compileSource(filter.right[index] as Source, { filter }, c);
  switch (operator) {
    case "eq":
      return `${left} = ${parameter(0)}`;
    case "ne":
      return c.dialect.not(`${left} = ${parameter(0)}`);
    case "gt":
      return compileOrder({ filter, left, sign: ">" }, parameter(0), c);
    case "gte":
      return compileOrder({ filter, left, sign: ">=" }, parameter(0), c);
    case "lt":
      return compileOrder({ filter, left, sign: "<" }, parameter(0), c);
    case "lte":
      return compileOrder({ filter, left, sign: "<=" }, parameter(0), c);
    case "between":
      return compileBetween(filter, left, c);
    case "isNull":
      return (filter.right[0] as { value: unknown }).value === 1 ? `${left} is null` : `${left} is not null`;
    case "in":
      return compileAmong(filter, left, c);
    case "nin":
      return c.dialect.not(compileAmong(filter, left, c));
    case "contains":
      return (filter.left.inside ?? filter.left.field).type.name === "list"
        ? c.dialect.documents.holds(left, parameter(0))
        : c.dialect.texts.matches("contains", left, parameter(0));
    default:
      return c.dialect.texts.matches(operator, left, parameter(0));
  }
}

// Part by part, so that an index over the columns answers.
function compileKeyEquality({ left, right: [source] }: Compare, parts: readonly Field[], c: Compiling): string {
  const pairs = parts.map((part, index) => {
    const value = compileKeyPart(source as Source, { parts, index }, c);
    return `${compileTerm({ ...left, field: part }, c)} = ${value}`;
  });
  return `(${pairs.join(" and ")})`;
}

function compileKeyPart(source: Source, { parts, index }: { parts: readonly Field[]; index: number }, c: Compiling): string {
  if (source.from === "term") return compileTerm({ ...source.term, field: source.term.field.parts?.[index] as Field }, c);
  assert(source.from !== "now", "a key is compared with a key");
  const value =
    source.from === "value"
      ? constant(parseKeyText(parts, String(source.value))?.[index] ?? null, c)
      : markFor(c.slots, { ...source, convert: keyPartConverter(parts, index) });
  return bindTo(parts[index] as Field, value, c.dialect);
}

// A value of no declared type is compared only with its like: a number is neither more nor less than a text.
function compileOrder(
  { filter, left, sign }: { filter: Compare; left: string; sign: string },
  right: string,
  c: Compiling,
): string {
  return filter.left.inside?.type === looseType ? c.dialect.documents.compare(left, sign, right) : `${left} ${sign} ${right}`;
}

function compileBetween(filter: Compare, left: string, c: Compiling): string {
  const bound = (position: 0 | 1) => {
    const source = filter.right[filter.right.length === 2 ? position : 0] as Source;
    return compileSource(source, { filter, part: filter.right.length === 2 ? undefined : position }, c);
  };
  const low = compileOrder({ filter, left, sign: ">=" }, bound(0), c);
  return `(${low} and ${compileOrder({ filter, left, sign: "<=" }, bound(1), c)})`;
}

// Constants of a rule are spelt out; a caller's list, or a claim, is one JSON parameter whatever its length.
function compileAmong(filter: Compare, left: string, c: Compiling): string {
  const [source] = filter.right;
  if (source === undefined) return "1 = 0";
  if (source.from === "term")
    return `(${left} is not null and ${c.dialect.documents.holds(compileTerm(source.term, c), compileElement(filter.left, c))})`;
  if (filter.right.length === 1 && source.from !== "value")
    return c.dialect.among(rightForm(filter), left, compileSource(source, { filter, isList: true }, c));
  return `${left} in (${filter.right.map((source) => compileSource(source, { filter }, c)).join(", ")})`;
}

// A list of the row has its elements as the wire does: to read them as the column's own type, each database would mend what is none in its own way.
function compileElement(term: Term, c: Compiling): string {
  if (term.inside) return compileTerm(term, c, "document");
  const form = term.mask === null && term.field.column !== "" ? columnForm(term.field) : looseForm(term.field);
  return c.dialect.json.element(form, compileTerm(term, c));
}

interface Side {
  readonly filter: Compare;
  /** Which bound of a `between` that came as one value. */
  readonly part?: 0 | 1 | undefined;
  /** The parameter is a JSON array of values. */
  readonly isList?: boolean;
}

function compileSource(source: Source, side: Side, c: Compiling): string {
  if (source.from === "term") return compileTerm(source.term, c);
  const parameter = sourceMark(source, side, c);
  if (side.isList) return bindText(parameter, c.dialect);
  const { filter } = side;
  if (isTextual(filter)) return bindText(parameter, c.dialect);
  const form = rightForm(filter);
  return filter.left.inside ? c.dialect.documents.bind(insideAs(filter), form, parameter) : c.dialect.bind(form, parameter);
}

function sourceMark(source: Exclude<Source, { from: "term" }>, { filter, part }: Side, c: Compiling): string {
  const { left, operator } = filter;
  switch (source.from) {
    case "value":
      return constant(source.value, c);
    case "now":
      return markFor(c.slots, { from: "now" });
    case "me":
      return markFor(c.slots, { from: "me", claim: source.claim, convert: converterFor(left, operator, { texts: true, part }) });
    case "param":
      return markFor(c.slots, {
        from: "param",
        index: source.index,
        convert: converterFor(left, operator, { texts: c.texts, part }),
      });
  }
}

// The right side is a text, or the JSON of one element, whatever the left holds.
function isTextual({ operator }: Compare): boolean {
  return (
    operator === "contains" ||
    operator === "startsWith" ||
    operator === "endsWith" ||
    operator === "like" ||
    operator === "search"
  );
}

function rightForm({ left }: Compare): Form {
  return left.inside ? formOf(left.inside) : columnForm(left.field);
}

// Spelt out where that is plainly safe: a database uses a partial index only for a condition that it can read.
function constant(value: Value, c: Compiling): string {
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value === "string" && /^[\w -]*$/.test(value)) return `'${value}'`;
  return markFor(c.slots, { from: "value", value });
}

// How a value inside a document is read. One of no declared type: for equality as its JSON, for order as text or number.
function insideAs({ left, operator }: Compare): Inside {
  const { type } = left.inside ?? left.field;
  if (type !== looseType || operator === "isNull") return type.storage;
  if (operator === "eq" || operator === "ne" || operator === "in" || operator === "nin") return "document";
  const isOrder = operator === "gt" || operator === "gte" || operator === "lt" || operator === "lte" || operator === "between";
  return isOrder ? "scalar" : "words";
}

/** The value of a term: null where its mask does not hold. */
export function compileTerm(term: Term, c: Compiling, as: Inside = (term.inside ?? term.field).type.storage): string {
  if (term.field.parts) return keyTextSql(term.field.parts, (part) => compileTerm({ ...term, field: part }, c), c.dialect);
  const replaced = c.instead?.get(term.field);
  if (replaced !== undefined && term.of === "input") return replaced;
  const level = c.aliases.length - 1 - term.up;
  const alias = c.aliases[level];
  assert(alias !== undefined, "a term stays within the rows in reach");
  const bare = compileField(term.field, alias, c);
  const value =
    term.path.length === 0
      ? bare
      : c.dialect.documents.read(bare, markFor(c.slots, { from: "value", value: documentPath(term.path) }), as);
  if (!term.mask) return value;
  return `case when ${compileFilter(term.mask, { ...c, aliases: c.aliases.slice(0, level + 1) })} then ${value} end`;
}

/** The value of a field in the row of that alias. */
export function compileField(field: Field, alias: string, c: Compiling): string {
  if (field.parts) return keyTextSql(field.parts, (part) => compileField(part, alias, c), c.dialect);
  if (!field.computed) return `${alias}.${c.dialect.quote(field.column)}`;
  return compileExpression(field.computed as Expression, {
    field,
    dialect: c.dialect,
    slots: c.slots,
    column: (part) => compileField(part, alias, c),
  });
}

function compileRelated(filter: Extract<Filter, { op: "one" | "some" | "every" | "none" }>, c: Compiling): string {
  assert(filter.visible && filter.link, "guard() says which rows a relation may look at");
  const step: Step = { relation: filter.relation, own: always, visible: filter.visible, link: filter.link };
  const joined = compileStep(step, c);
  const where = compileFilter(filter.where, joined.inner);
  const and = (condition: string) => `exists (select 1 from ${joined.from} where ${joined.on} and ${condition})`;
  if (filter.op === "every") return `not ${and(c.dialect.not(where))}`;
  return filter.op === "none" ? `not ${and(where)}` : and(where);
}

export interface Joined {
  /** Tables of the FROM clause. */
  readonly from: string;
  /** Conditions that tie them to the outer row, and leave only what may be seen. */
  readonly on: string;
  readonly alias: string;
  readonly inner: Compiling;
}

/** The rows that a relation leads to from the innermost row. */
export function compileStep(step: Step, c: Compiling): Joined {
  assert(step.own && step.visible && step.link, "guard() says which rows a relation may look at");
  const { relation } = step;
  const { quote } = c.dialect;
  const outer = c.aliases.at(-1) as string;
  const target = c.schema.models.get(relation.target) as Model;
  const alias = c.nextAlias();
  const inner = inRow(c, alias);
  const conditions = step.own.op === "true" ? [] : [compileFilter(step.own, c)];
  const from = `${quote(target.table)} ${alias}`;
  if (relation.through) conditions.push(linked(step, { outer, alias }, c));
  else conditions.push(equal(relation, { local: outer, foreign: alias }, c));
  conditions.push(...live(target, alias, c));
  if (step.visible.op !== "true") conditions.push(compileFilter(step.visible, inner));
  return { from, on: conditions.join(" and "), alias, inner };
}

// Two rows that several rows of the join model link are linked once.
function linked({ relation, link }: Step, rows: { readonly outer: string; readonly alias: string }, c: Compiling): string {
  const { quote } = c.dialect;
  const through = relation.through as NonNullable<Relation["through"]>;
  const join = c.schema.models.get(through.model) as Model;
  const joinAlias = c.nextAlias();
  const pairs = (join.relations.get(through.toTarget) as Relation).on;
  const conditions = [
    equal(join.relations.get(through.toLocal) as Relation, { local: joinAlias, foreign: rows.outer }, c),
    ...live(join, joinAlias, c),
    ...(link && link.op !== "true" ? [compileFilter(link, inRow(c, joinAlias))] : []),
  ];
  const locals = pairs.map(({ local }) => `${joinAlias}.${quote(local)}`).join(", ");
  const foreigns = pairs.map(({ foreign }) => `${rows.alias}.${quote(foreign)}`).join(", ");
  const keys = `select ${locals} from ${quote(join.table)} ${joinAlias} where ${conditions.join(" and ")}`;
  return `${pairs.length === 1 ? foreigns : `(${foreigns})`} in (${keys})`;
}

function equal(
  relation: Relation,
  { local, foreign }: { local: string; foreign: string },
  { dialect: { quote } }: Compiling,
): string {
  return relation.on.map((pair) => `${foreign}.${quote(pair.foreign)} = ${local}.${quote(pair.local)}`).join(" and ");
}

// What is in the trash is out of every relation's reach.
function live(model: Model, alias: string, c: Compiling): readonly string[] {
  return model.softDelete ? [`${alias}.${c.dialect.quote((model.fields.get("deletedAt") as Field).column)} is null`] : [];
}
