/** Shapes read calls for the plan cache, and binds their values to the compiled statement. */
import type { Statement } from "../../drivers/database.ts";
import type { Model } from "../../schema/schema.ts";
import type { Actor, Facts } from "../actor.ts";
import { holes, type ReadCall } from "../call.ts";
import { createSeal, decodeCursor, digest, isTurned, type Seal } from "../cursor.ts";
import { badQuery, fail } from "../errors.ts";
import { within } from "../limits.ts";
import { parseKey } from "../key.ts";
import type { Context, Prepared } from "../context.ts";
import { createShape, limitValue, type Shape, shapeAggregate, shapeQuery } from "../plan/shape.ts";
import { type Binding, fill, type Slot, Unfit } from "../compile/slot.ts";
import { pointerOf } from "../plan/pointer.ts";

/** A read reduced to its shape and values. */
export interface ShapedRead {
  readonly key: string;
  readonly model: Model;
  readonly values: readonly unknown[];
  readonly texts: boolean;
  /** What cursors of this query and actor are sealed with; empty where there are none. */
  readonly seal: Seal;
  readonly cursorNulls: readonly boolean[] | null;
  readonly limit: number;
  /** Rows that the page skips; only where the model has no key, which cursors of values would need. */
  readonly offset: number;
  readonly call: ReadCall;
}

interface Shaping {
  readonly context: Context;
  readonly actor: Actor;
  readonly facts: Facts;
}

const selectNothing = "|s:";
// A memo serves callers of so many different facts.
const memoMax = 16;

/** @throws invalid_query, invalid_cursor, limit_exceeded, unknown_operation */
export function readShape(call: ReadCall, shaping: Shaping): ShapedRead {
  const { context, facts } = shaping;
  const model = context.schema.models.get(call.model);
  if (!model) throw fail("unknown_operation");
  const shape = createShape(context.limits, `${call.op}|${model.name}|${facts.key}`);
  if (call.op === "list") return shapeList(call, { model, shape, ...shaping });
  if (call.op === "aggregate") return shapeGroups(call, { model, shape, ...shaping });
  return shapeGet(call, { model, shape, ...shaping });
}

type Started = Shaping & { readonly model: Model; readonly shape: Shape };

function shapeGet(call: Extract<ReadCall, { op: "get" }>, { model, shape }: Started): ShapedRead {
  const key = parseKey(model, call.id);
  if (!key) throw fail("not_found");
  shape.values.push(...key);
  const { select, trash, texts } = call;
  if (select || (trash && trash !== "without")) shapeQuery(shape, { select, trash, texts });
  else shape.text += selectNothing;
  return {
    key: shape.text,
    model,
    values: shape.values,
    texts: texts === true,
    seal: "",
    cursorNulls: null,
    limit: 1,
    offset: 0,
    call,
  };
}

/** What follows from a list's query without its cursor: kept in its call's memo. */
interface ListBase {
  readonly text: string;
  /** The text in short. */
  readonly name: string;
  /** Holes among them. */
  readonly values: readonly unknown[];
  /** What cursors of the query are bound to, beside the actor; of one with holes it is not known yet. */
  readonly bound: string;
  readonly limit: number;
}

function shapeList(call: Extract<ReadCall, { op: "list" }>, { model, shape, context, actor }: Started): ShapedRead {
  const { query, memo } = call;
  const kept = (memo?.get(shape.text) as ListBase | undefined) ?? shapeBase(call, model, shape);
  const base = call.filling === undefined ? kept : fillHoles(kept, call.filling);
  const texts = query.texts === true;
  const cursor = query.after ?? query.before;
  const count = query.count ?? "none";
  const { limit } = base;
  const seal = createSeal(context.cursorKey, `${base.bound}|${actor.id ?? ""}`);
  if (cursor === undefined && query.page === undefined) {
    return {
      key: `${base.text}|${count}`,
      model,
      values: [...base.values, limit + 1],
      texts,
      seal,
      limit,
      offset: 0,
      call,
      cursorNulls: null,
    };
  }
  if (model.key.length === 0) return shapeSkipping(call, base, { model, context, seal });
  let text = base.text;
  const values = [...base.values];
  let cursorNulls: readonly boolean[] | null = null;
  if (cursor !== undefined) {
    if (query.page !== undefined) throw badQuery("/page", "conflict", "Give either a page number or a cursor.");
    const sorted = decodeCursor(seal, cursor);
    cursorNulls = sorted.map((value) => value === null);
    text += `|${query.before === undefined ? "after" : "before"}${isTurned(cursor) ? "~" : ""}:${cursorNulls.map((isNull) => (isNull ? "0" : "1")).join("")}`;
    for (const value of sorted) if (value !== null) values.push(value);
  }
  text += `|${count}`;
  values.push(limit + 1);
  if (query.page !== undefined) {
    values.push(offsetOf(query.page, limit, context));
    text += "|offset";
  }
  return { key: text, model, values, texts, seal, limit, offset: 0, call, cursorNulls };
}

function offsetOf(page: unknown, limit: number, { limits }: Context): number {
  const offset = (limitValue(page, "/page") - 1) * limit;
  within(limits, "offsetMax", offset);
  return offset;
}

/** Without a key nothing tells equal rows apart, so no values say where a page ends: its cursors count rows. */
function shapeSkipping(
  call: Extract<ReadCall, { op: "list" }>,
  { text, values, limit }: ListBase,
  { model, context, seal }: Pick<Started, "model" | "context"> & { readonly seal: Seal },
): ShapedRead {
  const { query } = call;
  const cursor = query.after ?? query.before;
  if (cursor !== undefined && query.page !== undefined)
    throw badQuery("/page", "conflict", "Give either a page number or a cursor.");
  const counted = cursor === undefined ? 0 : Number(decodeCursor(seal, cursor)[0]);
  const skipped = query.before === undefined ? counted : Math.max(counted - limit, 0);
  const offset = query.page === undefined ? skipped : offsetOf(query.page, limit, context);
  within(context.limits, "offsetMax", offset);
  return {
    key: `${text}|${query.count ?? "none"}|offset`,
    model,
    values: [...values, limit + 1, offset],
    texts: query.texts === true,
    seal,
    limit,
    offset,
    call,
    cursorNulls: null,
  };
}

function shapeBase(call: Extract<ReadCall, { op: "list" }>, model: Model, shape: Shape): ListBase {
  const { query, memo } = call;
  const key = shape.text;
  shapeQuery(shape, query);
  const limit = query.limit === undefined ? model.limits.pageSize : limitValue(query.limit, "/limit");
  if (limit > model.limits.pageSizeMax)
    throw fail("limit_exceeded", { fields: { limit: "limit", max: model.limits.pageSizeMax } });
  if (query.count !== undefined && !["none", "estimated", "exact"].includes(query.count))
    throw badQuery("/count", "choice", "count is none, estimated or exact.");
  if (query.after !== undefined && query.before !== undefined)
    throw badQuery("/before", "conflict", "Give either after or before.");
  const name = digest(shape.text);
  const base: ListBase = {
    text: shape.text,
    name,
    values: shape.values,
    bound: call.filling === undefined ? boundTo(name, shape.values) : "",
    limit,
  };
  if (memo && memo.size < memoMax) memo.set(key, base);
  return base;
}

function boundTo(name: string, values: readonly unknown[]): string {
  return `${name}|${JSON.stringify(values)}`;
}

const holeAt: ReadonlyMap<unknown, number> = new Map(holes.map((hole, index) => [hole, index]));

function fillHoles({ text, name, values, limit }: ListBase, filling: readonly string[]): ListBase {
  const filled = values.map((value) => (typeof value === "symbol" ? filling[holeAt.get(value) as number] : value));
  return { text, name, values: filled, bound: boundTo(name, filled), limit };
}

function shapeGroups(call: Extract<ReadCall, { op: "aggregate" }>, { model, shape, context }: Started): ShapedRead {
  const { query } = call;
  shapeAggregate(shape, query);
  const limit = query.limit === undefined ? context.limits.groupsMax : limitValue(query.limit, "/limit");
  within(context.limits, "groupsMax", limit);
  shape.values.push(limit + 1);
  return {
    key: shape.text,
    model,
    values: shape.values,
    texts: query.texts === true,
    seal: "",
    cursorNulls: null,
    limit,
    offset: 0,
    call,
  };
}

/** Fills the statement's slots. @throws invalid_query that points at a value which does not fit its field. */
export function bindRead(prepared: Prepared, shaped: ShapedRead, by: { actor: Actor; now: string }): Statement {
  const { template } = prepared;
  const binding: Binding = { values: shaped.values, actor: by.actor, now: by.now };
  try {
    return { text: template.text, params: template.slots.map((slot) => fill(slot as Exclude<Slot, { from: "step" }>, binding)) };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw badQuery(
      pointerOf(shaped.call, error.index - (shaped.call.op === "get" ? shaped.model.key.length : 0)),
      error.misfit.code,
      `The value ${error.misfit.misfit}.`,
    );
  }
}
