/** The change feed: committed records, each once, in an order in which none turns up behind a reader. Writes nothing. */
import type { Database, Row, Value } from "../drivers/database.ts";
import type { CommitOrder } from "../drivers/ddl.ts";
import type { Dialect } from "../drivers/dialect.ts";
import { whereOf } from "./compile/read.ts";
import { fail } from "./errors.ts";
import { type Limits, within } from "./limits.ts";
import { type Change, changesTable, commitColumn } from "./write/change.ts";

/** One committed change to one row, as audit, realtime and cache see it. */
export interface ChangeRecord extends Change {
  /** Every stored field in wire form, before; null for an insert. */
  readonly before: Readonly<Record<string, unknown>> | null;
  /** The same after; null for a delete. */
  readonly after: Readonly<Record<string, unknown>> | null;
  /** The actor's id; null for anonymous and system. */
  readonly actor: string | null;
  readonly requestId: string | null;
  /** The instant of the request, ISO 8601. */
  readonly at: string;
}

/** A record, and where it stands: whoever goes on after it misses nothing and gets nothing twice. */
export interface PlacedChange extends ChangeRecord {
  readonly position: string;
}

export interface FeedQuery {
  /** The position of the last record that the reader is done with. @default the beginning */
  readonly after?: string | null;
  /** Records at most. @default the limit `changesMax` */
  readonly limit?: number;
}

export interface FeedPage {
  /** A transaction's records stand together, and those of one row by its versions. */
  readonly records: readonly PlacedChange[];
  /** Where to go on: that of the last record, or where the reader was. */
  readonly position: string | null;
  /**
   * - `full`: there may be more at once;
   * - `waiting`: further records are committed, and a transaction that is still open may come before them: ask again soon;
   * - `end`: there was nothing more.
   */
  readonly state: "full" | "waiting" | "end";
}

/** @throws invalid_cursor for a position of another kind, limit_exceeded */
export type ReadFeed = (query?: FeedQuery) => Promise<FeedPage>;

/** What the feed is read with. */
export interface FeedSource {
  readonly database: Database;
  readonly dialect: Dialect;
  readonly commits: CommitOrder | null;
  readonly limits: Limits;
}

/** Makes the reader of a database's feed. */
export function createFeed({ database, dialect, commits, limits }: FeedSource): ReadFeed {
  const texts = { start: textsOf("start", dialect, commits), after: textsOf("after", dialect, commits) };

  async function isWaiting(position: string | null): Promise<boolean> {
    if (commits === null) return false;
    const { text, params } = position === null ? { text: texts.start.more, params: [] } : bound(texts.after.more, position);
    const rows = await database.read({ text, params });
    return rows.length > 0;
  }

  function bound(text: string, position: string): { readonly text: string; readonly params: readonly Value[] } {
    const { commit, seq } = parsePosition(position);
    if (commits === null) return { text, params: [seq] };
    return { text, params: dialect.sorting.comparesRows ? [commit, seq] : [commit, commit, seq] };
  }

  return async ({ after = null, limit = limits.changesMax } = {}) => {
    within(limits, "changesMax", limit);
    const { text, params } = after === null ? { text: texts.start.page, params: [] } : bound(texts.after.page, after);
    const records = (await database.read({ text, params: [...params, limit] })).map(toRecord);
    const position = records.at(-1)?.position ?? after;
    if (records.length >= limit) return { records, position, state: "full" };
    return { records, position, state: (await isWaiting(position)) ? "waiting" : "end" };
  };
}

const columns = ["seq", "model", "kind", "row_id", "version", "before", "after", "actor", "request_id", "at"];

/** `page` reads what is settled; `more` has a row where there is anything at all. */
function textsOf(
  from: "start" | "after",
  { quote, sorting }: Dialect,
  commits: CommitOrder | null,
): { page: string; more: string } {
  const place = (commits === null ? ["seq"] : [commitColumn, "seq"]).map(quote);
  const further = from === "start" ? [] : [furtherThan(place, commits, sorting.comparesRows)];
  const settled = commits === null ? [] : [commits.settled(quote(commitColumn))];
  const selected = [commits === null ? "0" : quote(commitColumn), ...columns.map(quote)].join(", ");
  const sort = place.map((sql) => sorting.term({ sql, descending: false, nullable: false })).join(", ");
  return {
    page: `select ${selected} from ${quote(changesTable)}${whereOf([...further, ...settled])} order by ${sort} limit ?`,
    more: `select 1 from ${quote(changesTable)}${whereOf(further)} limit 1`,
  };
}

function furtherThan([first, seq]: readonly string[], commits: CommitOrder | null, comparesRows: boolean): string {
  if (commits === null) return `${first} > ?`;
  const given = commits.bind("?");
  if (comparesRows) return `(${first}, ${seq}) > (${given}, ?)`;
  return `${first} >= ${given} and (${first} > ${given} or ${seq} > ?)`;
}

function toRecord([commit, seq, model, kind, id, version, before, after, actor, requestId, at]: Row): PlacedChange {
  return {
    position: `${String(commit)}.${String(seq)}`,
    model: String(model),
    kind: kind as Change["kind"],
    id: String(id),
    version: Number(version),
    before: toImage(before),
    after: toImage(after),
    actor: actor as string | null,
    requestId: requestId as string | null,
    at: String(at),
  };
}

function toImage(text: Row[number] | undefined): ChangeRecord["after"] {
  return typeof text === "string" ? (JSON.parse(text) as NonNullable<ChangeRecord["after"]>) : null;
}

// Transactions are counted in 64 bits without a sign, so their numbers stay texts.
const positionPattern = /^(\d{1,20})\.(\d{1,16})$/;

function parsePosition(position: string): { readonly commit: string; readonly seq: number } {
  const [, commit, seq] = positionPattern.exec(position) ?? [];
  if (commit === undefined || seq === undefined) throw fail("invalid_cursor");
  return { commit, seq: Number(seq) };
}
