/** Reads each route and method into a call. Names and values inside the call stay unchecked. */
import type { Soon } from "../../base/soon.ts";
import type { Call } from "../../engine/call.ts";
import { badParameter } from "../errors.ts";
import { toBatch, toData, toDataList, toQuery } from "./bodies.ts";
import { type Exchange, type KeptList, readJson, readOptionalJson } from "./exchange.ts";
import { cutFilling } from "./params.ts";
import {
  readAggregateQuery,
  readBulkQuery,
  readCreateQuery,
  readInput,
  readItemQuery,
  readListQuery,
  readNoQuery,
  readRemoveQuery,
  readWriteQuery,
} from "./queries.ts";
import type { RouteKind } from "./route.ts";

// Longer query strings are read anew each time.
const keptSearchMax = 1024;

/** Makes the call of one method on one kind of route. A reader that does not read the body leaves no room for one. */
export type CallReader = (exchange: Exchange) => Soon<Call>;

const list: CallReader = ({ request, route, rest }) => {
  const { search } = request;
  // Whoever turns pages asks the same but for the cursor at the end.
  const cursor = cursorAtEnd.exec(search);
  const asked = cursor ? search.slice(0, cursor.index) : search;
  if (asked.length > keptSearchMax) return { op: "list", model: route.name, query: readListQuery(search) };
  const cut = cutFilling(asked);
  const { query, memo } = rest.lists(`${route.name}?${cut.rest}`, () => readKept(asked));
  const filling = cut.filling.length === 0 ? undefined : cut.filling;
  if (cursor === null) return { op: "list", model: route.name, query, memo, filling };
  // The other one is there as well, which is refused.
  if (memo === undefined) return { op: "list", model: route.name, query: readListQuery(search) };
  const paged = cursor[1] === "after" ? { ...query, after: cursor[2] } : { ...query, before: cursor[2] };
  return { op: "list", model: route.name, query: paged, memo, filling };
};

function readKept(search: string): KeptList {
  const query = readListQuery(search, true);
  return { query, memo: query.after === undefined && query.before === undefined ? new Map() : undefined };
}

const cursorAtEnd = /(?:^|&)(after|before)=([\w-]+~?)$/;

const query: CallReader = async (exchange) => {
  readNoQuery(exchange.request.search);
  return { op: "list", model: exchange.route.name, query: toQuery(await readJson(exchange)) };
};

const get: CallReader = ({ request, route }) => {
  if (request.search === "") return { op: "get", model: route.name, id: route.id };
  return { op: "get", model: route.name, id: route.id, texts: true, ...readItemQuery(request.search) };
};

const aggregate: CallReader = ({ request, route }) => ({
  op: "aggregate",
  model: route.name,
  query: readAggregateQuery(request.search),
});

const create: CallReader = async (exchange) => {
  const { route, request } = exchange;
  const { select, upsert } = readCreateQuery(request.search);
  const body = await readJson(exchange);
  const returning = returningOf(exchange, select);
  if (upsert) {
    if (Array.isArray(body))
      throw badParameter("?onConflict", "unsupported", "An upsert takes one row; send several as a batch.");
    return { op: "upsert", model: route.name, data: toData(body), ...upsert, returning };
  }
  if (Array.isArray(body)) return { op: "createMany", model: route.name, data: toDataList(body), returning };
  return { op: "create", model: route.name, data: toData(body), returning };
};

const update: CallReader = async (exchange) => {
  const { select } = readWriteQuery(exchange.request.search);
  const data = toData(await readJson(exchange));
  return { op: "update", model: exchange.route.name, id: exchange.route.id, data, returning: returningOf(exchange, select) };
};

const put: CallReader = async (exchange) => {
  const { select } = readWriteQuery(exchange.request.search);
  const data = toData(await readJson(exchange));
  return { op: "put", model: exchange.route.name, id: exchange.route.id, data, returning: returningOf(exchange, select) };
};

const remove: CallReader = ({ request, route }) => ({
  op: "delete",
  model: route.name,
  id: route.id,
  ...readRemoveQuery(request.search),
});

const restore: CallReader = (exchange) => {
  const { select } = readWriteQuery(exchange.request.search);
  return { op: "restore", model: exchange.route.name, id: exchange.route.id, returning: returningOf(exchange, select) };
};

const updateMany: CallReader = async (exchange) => {
  const bulk = readBulkQuery(exchange.request.search);
  return { op: "updateMany", model: exchange.route.name, data: toData(await readJson(exchange)), texts: true, ...bulk };
};

const deleteMany: CallReader = ({ request, route }) => ({
  op: "deleteMany",
  model: route.name,
  texts: true,
  ...readBulkQuery(request.search),
});

const batch: CallReader = async (exchange) => {
  readNoQuery(exchange.request.search);
  return { op: "batch", ...toBatch(await readJson(exchange)) };
};

const action: CallReader = async (exchange) => {
  readNoQuery(exchange.request.search);
  return { op: "action", action: exchange.route.name, input: (await readOptionalJson(exchange)) ?? {} };
};

const readAction: CallReader = ({ request, route }) => ({
  op: "action",
  action: route.name,
  input: readInput(request.search),
  texts: true,
});

function returningOf({ preferences }: Exchange, select: ReturnType<typeof readWriteQuery>["select"]) {
  if (preferences.return === "minimal") return { minimal: true };
  return select === undefined ? {} : { select, texts: true };
}

type Methods = Readonly<Record<string, CallReader>>;

const item: Methods = { GET: get, HEAD: get, PATCH: update, PUT: put, DELETE: remove };

/** Every route with its methods; OPTIONS is answered from this table. */
export const methodsOf: Readonly<Record<RouteKind, Methods>> = {
  collection: { GET: list, HEAD: list, QUERY: query, POST: create, PATCH: updateMany, DELETE: deleteMany },
  query: { POST: query },
  aggregate: { GET: aggregate, HEAD: aggregate },
  item,
  restore: { POST: restore },
  batch: { POST: batch },
  action: { POST: action },
  readAction: { GET: readAction, HEAD: readAction, POST: action },
};

/** What Allow says of a route. */
export function allowOf(kind: RouteKind): string {
  return [...Object.keys(methodsOf[kind]), "OPTIONS"].join(", ");
}

const withBody: ReadonlySet<CallReader> = new Set([query, create, update, put, updateMany, batch, action]);

export function takesBody(reader: CallReader): boolean {
  return withBody.has(reader);
}

const reads: ReadonlySet<CallReader> = new Set([list, query, get, aggregate, readAction]);

/** Whether the call changes nothing, so that a key or a precondition of writes is not for it. */
export function isRead(reader: CallReader): boolean {
  return reads.has(reader);
}
