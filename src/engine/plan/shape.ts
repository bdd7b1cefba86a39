/** The shape of a query: everything of it but its values, as a text that plans are cached by, and the values in order. */
import type { AggregateQuery, Query, Select, Where } from "../call.ts";
import { badQuery } from "../errors.ts";
import { type Limits, within } from "../limits.ts";

/** Collects a shape. Plans take values by their place, in the very order of this walk. */
export interface Shape {
  text: string;
  readonly values: unknown[];
  nodes: number;
  readonly limits: Limits;
}

// Names that cannot occur in a schema or a document path would let two shapes read alike.
const namePattern = /^[\w$.-]{1,256}$/;

export function createShape(limits: Limits, start: string): Shape {
  return { text: start, values: [], nodes: 0, limits };
}

export function shapeQuery(shape: Shape, query: Query): void {
  shape.text += query.texts ? "|t" : "|j";
  if (query.trash && query.trash !== "without") shape.text += `|trash:${query.trash}`;
  if (query.where) shapeWhere(shape, query.where, { pointer: "/where", depth: 0 });
  shape.text += "|o:";
  shape.text += orderText(query.orderBy, "/orderBy");
  shape.text += "|s:";
  if (query.select) shapeSelect(shape, query.select, { pointer: "/select", depth: 0 });
}

export function shapeAggregate(shape: Shape, query: AggregateQuery): void {
  shape.text += query.texts ? "|t" : "|j";
  if (query.trash && query.trash !== "without") shape.text += `|trash:${query.trash}`;
  if (query.where) shapeWhere(shape, query.where, { pointer: "/where", depth: 0 });
  for (const part of ["group", "count", "sum", "avg", "min", "max"] as const) {
    const names = query[part];
    if (names === undefined) continue;
    if (!Array.isArray(names) || names.some((name) => typeof name !== "string"))
      throw badQuery(`/${part}`, "type", "must be a list of names.");
    within(shape.limits, "sortFieldsMax", names.length);
    shape.text += `|${part}:${JSON.stringify(names)}`;
  }
  if (query.having) {
    shape.text += "|having:";
    shapeWhere(shape, query.having, { pointer: "/having", depth: 0 });
  }
  shape.text += `|o:${orderText(query.orderBy, "/orderBy")}`;
}

/** The terms of a sort, as a text with commas. */
export function orderText(orderBy: Query["orderBy"], pointer: string): string {
  if (orderBy === undefined) return "";
  if (typeof orderBy === "string") return orderBy;
  if (Array.isArray(orderBy) && orderBy.every((term) => typeof term === "string" && !term.includes(",")))
    return orderBy.join(",");
  throw badQuery(pointer, "type", 'must be a text such as "-releasedOn,title", or a list of such terms.');
}

interface At {
  readonly pointer: string;
  readonly depth: number;
}

function shapeWhere(shape: Shape, where: Where, { pointer, depth }: At): void {
  within(shape.limits, "filterDepthMax", depth);
  if (typeof where !== "object" || where === null || Array.isArray(where))
    throw badQuery(pointer, "type", "must be an object of conditions.");
  shape.text += "{";
  for (const name of Object.keys(where)) {
    const value = where[name];
    if (value === undefined) continue;
    within(shape.limits, "filterNodesMax", ++shape.nodes);
    if (!namePattern.test(name)) throw badQuery(`${pointer}/${pointerPart(name)}`, "unknown_field", "There is no such field.");
    if (shape.text.charCodeAt(shape.text.length - 1) !== 123) shape.text += ";";
    shape.text += name;
    if (Array.isArray(value) && (name === "and" || name === "or")) {
      shape.text += "(";
      for (const [index, arm] of value.entries())
        shapeWhere(shape, arm as Where, { pointer: `${pointer}/${name}/${index}`, depth: depth + 1 });
      shape.text += ")";
    } else if (name === "isNull") shape.text += isNullText(value, `${pointer}/isNull`);
    else if (value === null) shape.text += "=null";
    else if (typeof value === "object" && !Array.isArray(value))
      shapeWhere(shape, value as Where, { pointer: `${pointer}/${name}`, depth: depth + 1 });
    else {
      if (Array.isArray(value)) within(shape.limits, "listValuesMax", value.length);
      shape.text += "?";
      shape.values.push(value);
    }
  }
  shape.text += "}";
}

function isNullText(value: unknown, pointer: string): string {
  if (value === true || value === "true") return "=true";
  if (value === false || value === "false") return "=false";
  throw badQuery(pointer, "type", "isNull takes true or false.");
}

/** The entries of a selection in the order in which plans take their values: its own `$where` before those of relations within. */
export function selectEntries(select: Select): readonly (readonly [string, unknown])[] {
  const entries = Object.entries(select);
  const own = entries.findIndex(([name]) => name === "$where");
  return own <= 0 ? entries : [...entries.splice(own, 1), ...entries];
}

function shapeSelect(shape: Shape, select: Select, { pointer, depth }: At): void {
  within(shape.limits, "expandDepthMax", depth);
  if (typeof select !== "object" || select === null || Array.isArray(select))
    throw badQuery(pointer, "type", "must be an object of fields.");
  shape.text += "{";
  for (const [name, value] of selectEntries(select)) {
    if (value === undefined || value === false) continue;
    within(shape.limits, "filterNodesMax", ++shape.nodes);
    if (name !== "*" && !namePattern.test(name))
      throw badQuery(`${pointer}/${pointerPart(name)}`, "unknown_field", "There is no such field.");
    shape.text += `;${name}`;
    if (name === "$where") shapeWhere(shape, value as Where, { pointer: `${pointer}/$where`, depth: 0 });
    else if (name === "$orderBy") shape.text += JSON.stringify(orderText(value as Query["orderBy"], `${pointer}/$orderBy`));
    else if (name === "$limit") shape.text += String(limitValue(value, `${pointer}/$limit`));
    else if (value !== true) shapeSelect(shape, value as Select, { pointer: `${pointer}/${name}`, depth: depth + 1 });
  }
  shape.text += "}";
}

/** A limit as a whole number from 1; texts are read as numbers. */
export function limitValue(value: unknown, pointer: string): number {
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 1) return number;
  throw badQuery(pointer, "type", "must be a whole number from 1.");
}

/** A name as a part of a JSON pointer (RFC 6901), shortened where it is long. */
export function pointerPart(name: string): string {
  return name.slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1");
}
