/** What protocols hand to the engine: calls as plain data, in the words of API.md. Their names and values are not yet checked. */
import type { Actor } from "./actor.ts";

/** Values of a filter that is asked again and again with others in their place: `Call.filling` has those of one call. */
export const holes: readonly symbol[] = Object.freeze(Array.from({ length: 32 }, (_, index) => Symbol(`hole ${index}`)));

/** The filter AST as JSON: `{ price: { gte: "10" }, director: { country: "CZ" }, or: [ … ], reviews: { some: { … } } }`. */
export interface Where {
  readonly [name: string]: unknown;
}

/**
 * What to answer with: `true` for a field, `"*": true` for all own fields that the caller may read, a nested selection for a
 * relation. In the selection of a to-many relation `$where`, `$orderBy` and `$limit` say which rows.
 */
export interface Select {
  readonly [name: string]: unknown;
}

export interface Query {
  readonly where?: Where | undefined;
  /** `-releasedOn,title`, or a list of such terms. The key is appended, in the direction of the last term. */
  readonly orderBy?: string | readonly string[] | undefined;
  readonly select?: Select | undefined;
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  /** From 1; instead of a cursor. */
  readonly page?: number | undefined;
  /** @default "none" */
  readonly count?: "none" | "estimated" | "exact" | undefined;
  /** Rows in the trash, for who may delete. @default "without" */
  readonly trash?: "without" | "with" | "only" | undefined;
  /** The values of `where` are texts from a URL, to be read as their field's type. @default false */
  readonly texts?: boolean | undefined;
}

export interface AggregateQuery {
  readonly where?: Where | undefined;
  /** Fields, or buckets of them: `status`, `month(createdAt)`. */
  readonly group?: readonly string[] | undefined;
  /** Fields to count where not null; `*` counts rows. @default ["*"] where nothing else is asked for */
  readonly count?: readonly string[] | undefined;
  readonly sum?: readonly string[] | undefined;
  readonly avg?: readonly string[] | undefined;
  readonly min?: readonly string[] | undefined;
  readonly max?: readonly string[] | undefined;
  /** Conditions on results: `{ "sum.total": { gt: "100" }, "count": { gte: 2 } }`. */
  readonly having?: Where | undefined;
  /** By groups and results: `-sum.total,status`. @default the groups, ascending */
  readonly orderBy?: string | readonly string[] | undefined;
  readonly limit?: number | undefined;
  readonly trash?: "without" | "with" | "only" | undefined;
  readonly texts?: boolean | undefined;
}

/** Who asks, and what the answer's records will say of the request. */
export interface Origin {
  readonly actor: Actor;
  readonly requestId: string | null;
  /** A read from outside: the token of the caller's last write, or null where it sent none. Without it the primary answers. */
  readonly since?: string | null;
  /** A read from outside that runs in the very turn of the event loop that began with its arrival (`ReadOptions.prompt`). */
  readonly prompt?: boolean;
}

/** What a write is answered with. @default every own field that the caller may read */
export interface Returning {
  readonly select?: Select | undefined;
  /** As in `Query`, for the filters within `select`. @default false */
  readonly texts?: boolean | undefined;
  /** Nothing is read back. @default false */
  readonly minimal?: boolean | undefined;
}

export type Data = Readonly<Record<string, unknown>>;

export type Call =
  | {
      readonly op: "list";
      readonly model: string;
      readonly query: Query;
      /** For who makes the very same query again and never changes it: what follows from its text alone is kept here. */
      readonly memo?: Map<string, unknown> | undefined;
      /** What stands where the filter of the query has a hole: `holes[0]` is filled with the first of them. */
      readonly filling?: readonly string[] | undefined;
    }
  | {
      readonly op: "get";
      readonly model: string;
      readonly id: string;
      readonly select?: Select | undefined;
      readonly trash?: Query["trash"];
      readonly texts?: boolean | undefined;
    }
  | { readonly op: "aggregate"; readonly model: string; readonly query: AggregateQuery }
  | { readonly op: "create"; readonly model: string; readonly data: Data; readonly returning?: Returning | undefined }
  | {
      readonly op: "createMany";
      readonly model: string;
      readonly data: readonly Data[];
      readonly returning?: Returning | undefined;
    }
  | {
      readonly op: "update";
      readonly model: string;
      readonly id: string;
      readonly data: Data;
      readonly ifVersion?: number | undefined;
      readonly returning?: Returning | undefined;
    }
  /** Replaces the row of that id, or creates it; with `ifVersion: 0` only where there is none (precondition_failed otherwise). */
  | {
      readonly op: "put";
      readonly model: string;
      readonly id: string;
      readonly data: Data;
      readonly ifVersion?: number | undefined;
      readonly returning?: Returning | undefined;
    }
  /** Creates, or where a row with the same values in the fields `onConflict` exists, updates it or leaves it alone. */
  | {
      readonly op: "upsert";
      readonly model: string;
      readonly data: Data;
      readonly onConflict: readonly string[];
      readonly onConflictDo: "update" | "nothing";
      readonly returning?: Returning | undefined;
    }
  | {
      readonly op: "delete";
      readonly model: string;
      readonly id: string;
      readonly ifVersion?: number | undefined;
      readonly trash?: Query["trash"];
    }
  | { readonly op: "restore"; readonly model: string; readonly id: string; readonly returning?: Returning | undefined }
  | {
      readonly op: "updateMany";
      readonly model: string;
      readonly where: Where;
      readonly data: Data;
      readonly maxAffected: number;
      readonly texts?: boolean | undefined;
    }
  | {
      readonly op: "deleteMany";
      readonly model: string;
      readonly where: Where;
      readonly maxAffected: number;
      readonly texts?: boolean | undefined;
    }
  | { readonly op: "batch"; readonly atomic: boolean; readonly ops: readonly BatchOp[] }
  | { readonly op: "action"; readonly action: string; readonly input: unknown; readonly texts?: boolean | undefined };

/** One operation of a batch; `{ "$ref": "o.id" }` in its data stands for a field of an earlier operation's answer. */
export interface BatchOp {
  readonly id?: string | undefined;
  readonly create?: string | undefined;
  readonly update?: string | undefined;
  readonly delete?: string | undefined;
  readonly upsert?: string | undefined;
  readonly action?: string | undefined;
  /** The row of an update or delete. */
  readonly key?: unknown;
  readonly data?: unknown;
  readonly ifVersion?: number | undefined;
  readonly onConflict?: readonly string[] | undefined;
  readonly onConflictDo?: "update" | "nothing" | undefined;
}

export type ReadCall = Extract<Call, { op: "list" | "get" | "aggregate" }>;

export function isReadCall(call: Call): call is ReadCall {
  return call.op === "list" || call.op === "get" || call.op === "aggregate";
}

/** The answer to a call. Texts are JSON, made by the database, to be sent as they are. */
export type Result =
  | {
      readonly kind: "list";
      readonly rows: readonly string[];
      readonly next: string | null;
      readonly prev: string | null;
      readonly count: number | null;
    }
  | { readonly kind: "aggregate"; readonly rows: readonly string[] }
  /** `json` is null where the row may not be read, or was not asked for. */
  | {
      readonly kind: "row";
      readonly json: string | null;
      readonly id: string;
      /** Null where the model keeps none. */
      readonly version: number | null;
      readonly created: boolean;
      readonly changed: boolean;
    }
  | { readonly kind: "rows"; readonly rows: readonly (string | null)[]; readonly ids: readonly string[] }
  | { readonly kind: "deleted" }
  | { readonly kind: "affected"; readonly count: number }
  | { readonly kind: "batch"; readonly results: readonly BatchResult[] }
  /** What the action gave, as JSON. */
  | { readonly kind: "action"; readonly json: string };

/** The answer to one operation. */
export type SingleResult = Exclude<Result, { kind: "batch" }>;

export interface BatchResult {
  readonly id: string | null;
  readonly result: SingleResult | null;
  /** Set where the operation failed and the batch is not atomic. */
  readonly error: unknown;
}
