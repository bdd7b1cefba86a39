/** Plans reads: lists, single rows and what of them is answered, relations included. Sees only the caller's view. */
import { didYouMean } from "../../base/suggest.ts";
import { always, termOf } from "../../schema/filter.ts";
import type { Field, Model } from "../../schema/schema.ts";
import type { Query, Select } from "../call.ts";
import { isTurned } from "../cursor.ts";
import { badQuery, fail } from "../errors.ts";
import type { View } from "../guard.ts";
import { type Limits, within } from "../limits.ts";
import type { GetPlan, ListPlan, Order, Output, Reached, Related, RowsPlan, Trash } from "./plan.ts";
import { type Params, planWhere } from "./filter.ts";
import { limitValue, orderText, pointerPart } from "./shape.ts";

/** What planning needs besides the query. */
export interface Planning {
  readonly view: View;
  readonly model: Model;
  readonly limits: Limits;
  readonly params: Params;
}

/** Plans a list. `cursorNulls` is the shape of the cursor, where there is one. */
export function planList(query: Query, cursorNulls: readonly boolean[] | null, planning: Planning): ListPlan {
  const rows = planRows({ ...query, limit: null, pointer: "" }, planning);
  const { params } = planning;
  // Without a key, cursors count the rows that come before.
  const isSkipping = planning.model.key.length === 0 && (query.after ?? query.before) !== undefined;
  const direction = query.before === undefined ? "after" : "before";
  if (cursorNulls && cursorNulls.length !== rows.order.length) throw fail("invalid_cursor");
  const firstParam = params.next;
  params.next += cursorNulls ? cursorNulls.filter((isNull) => !isNull).length : 0;
  const limitParam = params.next++;
  return {
    kind: "list",
    rows,
    limitParam,
    count: query.count ?? "none",
    cursor: cursorNulls ? { direction, turned: isTurned(query.after ?? query.before), nulls: cursorNulls, firstParam } : null,
    offsetParam: query.page === undefined && !isSkipping ? null : params.next++,
  };
}

/** Plans a single row by its key, whose parts are the first parameters. */
export function planGet(select: Select | undefined, trash: Trash, planning: Planning): GetPlan {
  const keyParams = planning.model.key.map(() => planning.params.next++);
  return { kind: "get", keyParams, rows: planRows({ select, trash, orderBy: undefined, limit: null, pointer: "" }, planning) };
}

interface RowsQuery {
  readonly where?: Query["where"];
  readonly orderBy?: Query["orderBy"];
  readonly select?: Select | undefined;
  readonly trash?: Trash | undefined;
  readonly limit: number | null;
  /** Where in the call this query stands. */
  readonly pointer: string;
}

function planRows(query: RowsQuery, planning: Planning): RowsPlan {
  const { view, model, params } = planning;
  const nested = query.pointer === "" ? "" : `${query.pointer}/$`;
  const at = (part: string) => (nested === "" ? `/${part}` : `${nested}${part}`);
  const trash = query.trash ?? "without";
  if (trash !== "without" && !model.softDelete) throw badQuery(at("trash"), "unknown_parameter", `${model.name} has no trash.`);
  const where = query.where ? planWhere(query.where, { view, model, params, pointer: at("where") }) : always;
  const order = planOrder(orderText(query.orderBy, at("orderBy")), at("orderBy"), planning);
  const output = planOutput(query.select, query.pointer === "" ? "/select" : query.pointer, planning);
  return { model, trash, where, rule: null, output, order, limit: query.limit };
}

/**
 * The order of a sort text, made total by the key, which takes the direction of the last term. Rows of a model without a key are
 * told apart by all that the caller sees of them.
 */
export function planOrder(text: string, pointer: string, planning: Planning): readonly Order[] {
  const terms = text === "" ? [] : text.split(",");
  within(planning.limits, "sortFieldsMax", terms.length);
  const order: Order[] = [];
  for (const part of terms) {
    const descending = part.startsWith("-");
    const name = (descending || part.startsWith("+") ? part.slice(1) : part).trim();
    const by = planReached(name, pointer, planning);
    if (!by.term.field.type.ordered)
      throw badQuery(pointer, "not_ordered", `${name} is ${by.term.field.type.name}, which has no order.`);
    order.push({ by, descending, nullable: by.steps.length > 0 || by.term.field.optional });
  }
  const descending = order.at(-1)?.descending ?? false;
  const { key } = planning.model;
  const all = () => planning.view.fields(planning.model).filter(({ type }) => type.ordered || type.storage === "bytes");
  for (const field of key.length > 0 ? key : all()) {
    if (order.some(({ by }) => by.steps.length === 0 && by.term.field.name === field.name)) continue;
    order.push({ by: { steps: [], term: termOf(field) }, descending, nullable: field.optional });
  }
  return order;
}

/** A field, or one behind to-one relations: `director.country`. */
export function planReached(path: string, pointer: string, planning: Planning): Reached {
  const { view } = planning;
  const names = path.split(".");
  within(planning.limits, "expandDepthMax", names.length - 1);
  let model = planning.model;
  const steps = names.slice(0, -1).map((name) => {
    const relation = view.relation(model, name);
    if (!relation) throw unknownName(name, pointer, { model, view });
    if (relation.kind === "many") throw badQuery(pointer, "to_many", `${name} has many rows and so no single value.`);
    model = view.target(relation);
    return { relation, own: null, visible: null, link: null };
  });
  const field = view.field(model, names.at(-1) ?? "");
  if (!field) throw unknownName(names.at(-1) ?? "", pointer, { model, view });
  return { steps, term: termOf(field) };
}

function planOutput(select: Select | undefined, pointer: string, planning: Planning): Output {
  const { view, model } = planning;
  const fields = new Map<string, Field>();
  const related: Related[] = [];
  const whole = () => {
    for (const field of view.fields(model)) fields.set(field.name, field);
  };
  if (!select) whole();
  for (const [name, value] of Object.entries(select ?? {})) {
    if (value === undefined || value === false || name.startsWith("$")) continue;
    const at = `${pointer}/${pointerPart(name)}`;
    if (name === "*") whole();
    else if (value === true && view.field(model, name)) fields.set(name, view.field(model, name) as Field);
    else related.push(planRelated({ name, value: value as true | Select }, at, planning));
  }
  for (const { name } of related) fields.delete(name);
  return { fields: [...fields].map(([name, field]) => ({ name, term: termOf(field) })), related };
}

function planRelated({ name, value }: { name: string; value: true | Select }, pointer: string, planning: Planning): Related {
  const { view, model, limits } = planning;
  const relation = view.relation(model, name);
  if (!relation) throw unknownName(name, pointer, { model, view });
  const target = view.target(relation);
  const inner = value === true ? {} : (value as Readonly<Record<string, unknown>>);
  for (const key of Object.keys(inner)) {
    if (!key.startsWith("$")) continue;
    if (relation.kind === "one" || !["$where", "$orderBy", "$limit"].includes(key))
      throw badQuery(`${pointer}/${pointerPart(key)}`, "unknown_parameter", `${name} takes no ${key}.`);
  }
  const picked = Object.keys(inner).some((key) => !key.startsWith("$") && inner[key] !== undefined);
  const limit =
    relation.kind === "one"
      ? null
      : inner["$limit"] === undefined
        ? Math.min(limits.expandSize, target.limits.pageSizeMax)
        : limitValue(inner["$limit"], `${pointer}/$limit`);
  if (limit !== null && limit > target.limits.pageSizeMax)
    throw fail("limit_exceeded", { fields: { limit: `${name}.$limit`, max: target.limits.pageSizeMax } });
  const query: RowsQuery = {
    where: inner["$where"] as Query["where"],
    orderBy: inner["$orderBy"] as Query["orderBy"],
    select: picked ? (inner as Select) : undefined,
    limit,
    pointer,
  };
  return {
    name,
    step: { relation, own: null, visible: null, link: null },
    rows: planRows(query, { ...planning, model: target }),
  };
}

/** Rows that one row of the answer may bring along, itself included. @throws limit_exceeded for more relations than allowed */
export function boundOutput(rows: RowsPlan, limits: Limits): number {
  let count = 0;
  const measure = (plan: RowsPlan): number => {
    let total = 1;
    for (const { rows: inner } of plan.output.related) {
      count++;
      total += (inner.limit ?? 1) * measure(inner);
    }
    return total;
  };
  const fanOut = measure(rows);
  within(limits, "expandCountMax", count);
  return fanOut;
}

function unknownName(name: string, pointer: string, { model, view }: { model: Model; view: View }): Error {
  return badQuery(
    pointer,
    "unknown_field",
    `${model.name} has no field ${JSON.stringify(name.slice(0, 64))}.${didYouMean(name, view.names(model))}`,
  );
}
