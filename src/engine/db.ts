/** The server-side API: `db.films.list(…)`, typed by inference, on the same engine and under the same rules as every protocol. */
import type { IdOf } from "../schema/model.ts";
import type { AggregateQuery, Call, Result as Answered, Select as AnySelect } from "./call.ts";
import type { ChangeInput, CreateInput, OrderBy, Registry, Result, Strict, UpdateInput, Where } from "./typed.ts";

/** Which rows, in what order, and which page of them. */
export interface ListQuery<R extends Registry, M> {
  readonly where?: Where<R, M>;
  readonly orderBy?: OrderBy<R, M>;
  /** Rows on the page. @default the model's page size */
  readonly limit?: number;
  readonly after?: string;
  readonly before?: string;
  readonly count?: "none" | "estimated" | "exact";
  readonly trash?: "without" | "with" | "only";
}

/** A page of rows. */
export interface Listed<T> {
  readonly data: readonly T[];
  /** Cursors; `count` where it was asked for. */
  readonly page: { readonly next: string | null; readonly prev: string | null; readonly count?: number };
}

/** One group: its values, and what was measured. */
export interface Group {
  readonly group?: Readonly<Record<string, unknown>>;
  readonly count?: number;
  readonly [measure: string]: unknown;
}

/** The operations of one model, for one actor. Each fails with an AppError, as the wire would. */
export interface ModelApi<R extends Registry, M> {
  list<const S = undefined>(query?: ListQuery<R, M> & { readonly select?: Strict<R, M, S> }): Promise<Listed<Result<R, M, S>>>;
  /** The first row that matches, or null. */
  first<const S = undefined>(query?: ListQuery<R, M> & { readonly select?: Strict<R, M, S> }): Promise<Result<R, M, S> | null>;
  /** @throws not_found */
  get<const S = undefined>(id: IdOf<M>, options?: { readonly select?: Strict<R, M, S> }): Promise<Result<R, M, S>>;
  aggregate(query: Omit<AggregateQuery, "where" | "texts"> & { readonly where?: Where<R, M> }): Promise<readonly Group[]>;
  create<const S = undefined>(data: CreateInput<M>, options?: { readonly select?: Strict<R, M, S> }): Promise<Result<R, M, S>>;
  createMany(data: readonly CreateInput<M>[]): Promise<readonly IdOf<M>[]>;
  update<const S = undefined>(
    id: IdOf<M>,
    data: UpdateInput<M>,
    options?: { readonly select?: Strict<R, M, S>; readonly ifVersion?: number },
  ): Promise<Result<R, M, S>>;
  put(id: IdOf<M>, data: CreateInput<M>, options?: { readonly ifVersion?: number }): Promise<Result<R, M, undefined>>;
  upsert(
    data: CreateInput<M>,
    options: { readonly onConflict: readonly string[]; readonly onConflictDo?: "update" | "nothing" },
  ): Promise<Result<R, M, undefined>>;
  delete(id: IdOf<M>, options?: { readonly ifVersion?: number; readonly trash?: "only" }): Promise<void>;
  restore(id: IdOf<M>): Promise<Result<R, M, undefined>>;
  /** @returns how many rows changed */
  updateMany(query: {
    readonly where: Where<R, M>;
    readonly data: ChangeInput<M>;
    readonly maxAffected: number;
  }): Promise<number>;
  /** @returns how many rows went */
  deleteMany(query: { readonly where: Where<R, M>; readonly maxAffected: number }): Promise<number>;
}

/** Every model's operations, for one actor. */
export type Db<R extends Registry> = { readonly [K in keyof R]: ModelApi<R, R[K]> };

/** Runs a call for the actor that a Db is made for. */
export type Run = (call: Call) => Promise<Answered>;

/** Makes the Db of an actor; `R` is what the models say. */
export function createDb<R extends Registry>(run: Run): Db<R> {
  const apis = new Map<string, unknown>();
  const target = Object.freeze({});
  return new Proxy(target, {
    get(_, name) {
      if (typeof name !== "string" || name === "then") return undefined;
      const known = apis.get(name) ?? createModelApi(name, run);
      apis.set(name, known);
      return known;
    },
  }) as Db<R>;
}

interface AnyQuery {
  readonly select?: AnySelect;
  readonly [option: string]: unknown;
}

// The types above are the contract; here everything is the call's plain data.
function createModelApi(model: string, run: Run): unknown {
  const row = async (call: Call) => parse(await run(call));
  const list = async (query: AnyQuery = {}) => listed(await run({ op: "list", model, query }));
  return Object.freeze({
    list,
    first: async (query: AnyQuery = {}) => (await list({ ...query, limit: 1 })).data[0] ?? null,
    get: (id: unknown, options: AnyQuery = {}) => row({ op: "get", model, id: String(id), select: options.select }),
    aggregate: async (query: AggregateQuery) => rowsOf(await run({ op: "aggregate", model, query })),
    create: (data: never, options: AnyQuery = {}) => row({ op: "create", model, data, returning: { select: options.select } }),
    createMany: async (data: never) => idsOf(await run({ op: "createMany", model, data, returning: { minimal: true } })),
    update: (id: unknown, data: never, options: AnyQuery = {}) =>
      row({
        op: "update",
        model,
        id: String(id),
        data,
        returning: { select: options.select },
        ifVersion: options["ifVersion"] as number | undefined,
      }),
    put: (id: unknown, data: never, options: AnyQuery = {}) =>
      row({ op: "put", model, id: String(id), data, ifVersion: options["ifVersion"] as number | undefined }),
    upsert: (data: never, options: { onConflict: readonly string[]; onConflictDo?: "update" | "nothing" }) =>
      row({ op: "upsert", model, data, onConflict: options.onConflict, onConflictDo: options.onConflictDo ?? "update" }),
    delete: async (id: unknown, options: { ifVersion?: number; trash?: "only" } = {}) =>
      void (await run({ op: "delete", model, id: String(id), ...options })),
    restore: (id: unknown) => row({ op: "restore", model, id: String(id) }),
    updateMany: async (query: never) => affected(await run({ ...(query as object), op: "updateMany", model } as Call)),
    deleteMany: async (query: never) => affected(await run({ ...(query as object), op: "deleteMany", model } as Call)),
  });
}

function parse(result: Answered): unknown {
  return result.kind === "row" && result.json !== null ? JSON.parse(result.json) : null;
}

function listed(result: Answered): Listed<unknown> {
  if (result.kind !== "list") return { data: [], page: { next: null, prev: null } };
  const { rows, next, prev, count } = result;
  return { data: JSON.parse(`[${rows.join(",")}]`) as unknown[], page: { next, prev, ...(count === null ? {} : { count }) } };
}

function rowsOf(result: Answered): readonly Group[] {
  return result.kind === "aggregate" ? (JSON.parse(`[${result.rows.join(",")}]`) as Group[]) : [];
}

function idsOf(result: Answered): readonly string[] {
  return result.kind === "rows" ? result.ids : [];
}

function affected(result: Answered): number {
  return result.kind === "affected" ? result.count : 0;
}
