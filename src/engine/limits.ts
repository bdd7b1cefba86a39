/** The engine's limits: each has a name, a default, and a clear error when it is exceeded. */
import { fail } from "./errors.ts";

/** Limits of queries and writes; what exceeds one is refused with `limit_exceeded`. */
export interface LimitsOptions {
  /** Conditions in one filter. @default 100 */
  readonly filterNodesMax?: number;
  /** Nesting of and, or, not and relations in a filter. @default 10 */
  readonly filterDepthMax?: number;
  /** Values of one `in` or `nin`. @default 1000 */
  readonly listValuesMax?: number;
  /** Fields of one sort. @default 8 */
  readonly sortFieldsMax?: number;
  /** Relations within relations in one read. @default 6 */
  readonly expandDepthMax?: number;
  /** Relations in one read, at all depths. @default 30 */
  readonly expandCountMax?: number;
  /** Rows that one answer may hold at most, related ones included: the product of the nested limits. @default 100000 */
  readonly fanOutMax?: number;
  /** Related rows where the query says nothing. @default 20 */
  readonly expandSize?: number;
  /** Rows skipped by page[number]; cursors have no such bound. @default 100000 */
  readonly offsetMax?: number;
  /** Groups of one aggregate. @default 1000 */
  readonly groupsMax?: number;
  /** Rows counted for count=estimated. @default 10000 */
  readonly estimateMax?: number;
  /** Rows that a bulk write may change. @default 10000 */
  readonly affectedMax?: number;
  /** Operations of one batch, and rows of one bulk create. @default 1000 */
  readonly batchMax?: number;
  /** Rows that a delete may take along by cascade. @default 10000 */
  readonly cascadeMax?: number;
  /** Records of one read of the change feed. @default 1000 */
  readonly changesMax?: number;
  /** Plans kept by shape. @default 1000 */
  readonly plansMax?: number;
  /** A transaction held longer is undone, in milliseconds. @default 5000 */
  readonly transactionTimeoutMs?: number;
}

export type Limits = Readonly<Required<LimitsOptions>>;

export const limitDefaults: Limits = Object.freeze({
  filterNodesMax: 100,
  filterDepthMax: 10,
  listValuesMax: 1000,
  sortFieldsMax: 8,
  expandDepthMax: 6,
  expandCountMax: 30,
  fanOutMax: 100_000,
  expandSize: 20,
  offsetMax: 100_000,
  groupsMax: 1000,
  estimateMax: 10_000,
  affectedMax: 10_000,
  batchMax: 1000,
  cascadeMax: 10_000,
  changesMax: 1000,
  plansMax: 1000,
  transactionTimeoutMs: 5000,
});

/** @throws limit_exceeded where `count` is more than the limit of that name allows. */
export function within(limits: Limits, limit: keyof Limits, count: number): void {
  if (count > limits[limit]) throw fail("limit_exceeded", { fields: { limit, max: limits[limit] } });
}
