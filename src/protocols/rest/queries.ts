/** Reads the query string of each route into the engine's words; an unknown parameter is refused, never ignored. */
import { didYouMean } from "../../base/suggest.ts";
import type { AggregateQuery, Query, Select, Where } from "../../engine/call.ts";
import { badParameter } from "../errors.ts";
import { buildFilter } from "./filters.ts";
import { type Param, parseParams, refuseRepeated } from "./params.ts";
import { buildSelect, splitList, toWhole } from "./selects.ts";

/** Parameters of a route by name; those in `bracketed` are taken with brackets. */
interface Known {
  readonly names: readonly string[];
  readonly bracketed: readonly string[];
}

const selecting = ["fields", "expand"] as const;
const known = {
  list: {
    names: ["filter", "sort", "limit", "after", "before", "page", "count", "trash", ...selecting],
    bracketed: ["filter", "page", "expand"],
  },
  item: { names: ["trash", ...selecting], bracketed: ["expand"] },
  write: { names: selecting, bracketed: ["expand"] },
  create: { names: ["onConflict", "onConflictDo", ...selecting], bracketed: ["expand"] },
  remove: { names: ["trash"], bracketed: [] },
  bulk: { names: ["filter", "maxAffected"], bracketed: ["filter"] },
  aggregate: {
    names: ["filter", "group", "count", "sum", "avg", "min", "max", "having", "sort", "limit", "trash"],
    bracketed: ["filter", "having"],
  },
  none: { names: [], bracketed: [] },
} as const satisfies Record<string, Known>;

type Route = keyof typeof known;

/** The parameters of a request to one route, by name. */
class Params {
  readonly #all: readonly Param[];

  /** @throws invalid_parameter with one fault for each parameter that the route does not know. */
  constructor(search: string, route: Route, withHoles = false) {
    this.#all = parseParams(search, withHoles);
    const { names, bracketed }: Known = known[route];
    for (const { name, path, spelt } of this.#all) {
      if (!names.includes(name))
        throw badParameter(
          `?${spelt}`,
          "unknown_parameter",
          `There is no parameter ${JSON.stringify(name.slice(0, 64))} here.${didYouMean(name, names)}`,
        );
      if (path.length > 0 && !bracketed.includes(name))
        throw badParameter(`?${spelt}`, "malformed", `${name} takes no brackets.`);
    }
    refuseRepeated(this.#all);
  }

  many(name: string): readonly Param[] {
    return this.#all.filter((param) => param.name === name);
  }

  one(name: string): Param | undefined {
    return this.#all.find((param) => param.name === name);
  }

  text(name: string): string | undefined {
    const param = this.one(name);
    if (param?.value === "") throw badParameter(`?${name}`, "empty", `${name} is empty.`);
    return param?.value;
  }

  whole(name: string): number | undefined {
    const param = this.one(name);
    return param && toWhole(param);
  }

  list(name: string): string[] | undefined {
    const param = this.one(name);
    return param && splitList(param);
  }

  choice<const C extends string>(name: string, choices: readonly C[]): C | undefined {
    const value = this.one(name)?.value;
    if (value === undefined || (choices as readonly string[]).includes(value)) return value as C | undefined;
    throw badParameter(`?${name}`, "type", `${name} is one of ${choices.join(", ")}.${didYouMean(value, choices)}`);
  }

  select(): Select | undefined {
    return buildSelect(this.one("fields"), this.many("expand"));
  }

  filter(): Where | undefined {
    return buildFilter(this.many("filter"));
  }
}

export const trashWords = ["without", "with", "only"] as const;
export const countWords = ["none", "estimated", "exact"] as const;

/** With `withHoles`, the values that `cutFilling` cuts out are holes. */
export function readListQuery(search: string, withHoles = false): Query {
  if (search === "") return { texts: true };
  const params = new Params(search, "list", withHoles);
  return {
    texts: true,
    where: params.filter(),
    orderBy: params.text("sort"),
    select: params.select(),
    limit: params.whole("limit"),
    after: params.text("after"),
    before: params.text("before"),
    page: readPage(params),
    count: params.choice("count", countWords),
    trash: params.choice("trash", trashWords),
  };
}

function readPage(params: Params): number | undefined {
  const [param, ...more] = params.many("page");
  if (param === undefined) return undefined;
  if (more.length > 0 || param.path.length !== 1 || param.path[0] !== "number") {
    throw badParameter(`?${(more[0] ?? param).spelt}`, "unknown_parameter", "Pages are page[number]=2; their size is limit=20.");
  }
  return toWhole(param);
}

export function readItemQuery(search: string): { readonly select?: Select | undefined; readonly trash?: Query["trash"] } {
  const params = new Params(search, "item");
  return { select: params.select(), trash: params.choice("trash", trashWords) };
}

/** What a write is answered with. */
export function readWriteQuery(search: string): { readonly select?: Select | undefined } {
  return { select: new Params(search, "write").select() };
}

export interface Upsert {
  readonly onConflict: readonly string[];
  readonly onConflictDo: "update" | "nothing";
}

export function readCreateQuery(search: string): { readonly select?: Select | undefined; readonly upsert: Upsert | null } {
  const params = new Params(search, "create");
  const onConflict = params.list("onConflict");
  const onConflictDo = params.choice("onConflictDo", ["update", "nothing"]);
  if (onConflict === undefined && onConflictDo !== undefined)
    throw badParameter("?onConflict", "required", "onConflictDo needs onConflict, the fields that must be alike.");
  return { select: params.select(), upsert: onConflict ? { onConflict, onConflictDo: onConflictDo ?? "update" } : null };
}

export function readRemoveQuery(search: string): { readonly trash?: Query["trash"] } {
  return { trash: new Params(search, "remove").choice("trash", trashWords) };
}

export function readBulkQuery(search: string): { readonly where: Where; readonly maxAffected: number } {
  const params = new Params(search, "bulk");
  const where = params.filter();
  const maxAffected = params.whole("maxAffected");
  if (where === undefined) throw badParameter("?filter", "required", "A bulk write says which rows: filter[…]=….");
  if (maxAffected === undefined)
    throw badParameter("?maxAffected", "required", "A bulk write says how many rows it may change at most: maxAffected=10.");
  return { where, maxAffected };
}

export function readAggregateQuery(search: string): AggregateQuery {
  const params = new Params(search, "aggregate");
  return {
    texts: true,
    where: params.filter(),
    group: params.list("group"),
    count: params.list("count"),
    sum: params.list("sum"),
    avg: params.list("avg"),
    min: params.list("min"),
    max: params.list("max"),
    having: buildFilter(params.many("having")),
    orderBy: params.text("sort"),
    limit: params.whole("limit"),
    trash: params.choice("trash", trashWords),
  };
}

/** For routes without parameters. */
export function readNoQuery(search: string): void {
  if (search !== "") new Params(search, "none");
}

/** The input of a read action: texts, and lists of texts where a name is repeated. */
export function readInput(search: string): Record<string, string | string[]> {
  const input: Record<string, string | string[]> = {};
  for (const { name, path, value, spelt } of parseParams(search)) {
    if (path.length > 0 || name === "__proto__")
      throw badParameter(`?${spelt}`, "malformed", "An action's parameters have no brackets; POST a body for nested input.");
    const found = Object.hasOwn(input, name) ? input[name] : undefined;
    input[name] = found === undefined ? value : [...(Array.isArray(found) ? found : [found]), value];
  }
  return input;
}
