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

/** @throws invalid_cursor for a position of another kind, position_lost for one of what is not there any more, limit_exceeded */
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

  // What is not there any more must not be taken for a place to go on at: what has come in its stead would be skipped.
  function check([isThere]: Row = []): void {
    if (Number(isThere) === 0) throw fail("position_lost");
  }

  /** Whether something is committed that may not be read yet; asks as well whether a position is one. */
  async function isWaiting(position: string | null): Promise<boolean> {
    const { text, params } = position === null ? { text: texts.start.rest, params: [] } : bound(texts.after.rest, position);
    const [row] = await database.read({ text, params });
    check(row);
    return Number(row?.[1]) === 1;
  }

  function bound(text: string, position: string): { readonly text: string; readonly params: readonly Value[] } {
    const { commit, seq, at } = parsePosition(position);
    const place = commits === null ? [seq] : [commit, seq];
    const range = commits === null || dialect.sorting.comparesRows ? place : [commit, commit, seq];
    return { text, params: [...range, ...place, at, at, ...range] };
  }

  return async ({ after = null, limit = limits.changesMax } = {}) => {
    within(limits, "changesMax", limit);
    const { text, params } = after === null ? { text: texts.start.page, params: [] } : bound(texts.after.page, after);
    const rows = await database.read({ text, params: [...params, limit] });
    if (rows.length > 0) check(rows[0]);
    const records = rows.map(toRecord);
    const position = records.at(-1)?.position ?? after;
    if (records.length >= limit) return { records, position, state: "full" };
    const isSettled = commits === null && (records.length > 0 || after === null);
    return { records, position, state: !isSettled && (await isWaiting(position)) ? "waiting" : "end" };
  };
}

const columns = ["seq", "model", "kind", "row_id", "version", "before", "after", "actor", "request_id", "at"];

/** `page` reads what is settled; `rest` tells whether there is anything at all. Both begin with whether the position is one. */
function textsOf(
  from: "start" | "after",
  { quote, sorting }: Dialect,
  commits: CommitOrder | null,
): { page: string; rest: string } {
  const place = (commits === null ? ["seq"] : [commitColumn, "seq"]).map(quote);
  const further = from === "start" ? [] : [beside(">", place, { commits, comparesRows: sorting.comparesRows })];
  const upTo = [beside("<=", place, { commits, comparesRows: sorting.comparesRows })];
  const records = quote(changesTable);
  const sort = place.map((sql) => sorting.term({ sql, descending: false, nullable: false })).join(", ");
  // Where everything up to there is gone, it was done with and has been removed: the first that is there says so.
  const first = `(select ${place.join(", ")} from ${records} order by ${sort} limit 1) as f`;
  const known = `not exists (select 1 from ${first}${whereOf(upTo)}) or exists (select 1 from ${records}${whereOf(same(place, quote("at"), commits))})`;
  const isThere = from === "start" ? "1" : `case when ${known} then 1 else 0 end`;
  const settled = commits === null ? [] : [commits.settled(quote(commitColumn))];
  const selected = [isThere, commits === null ? "0" : quote(commitColumn), ...columns.map(quote)].join(", ");
  return {
    page: `select ${selected} from ${records}${whereOf([...further, ...settled])} order by ${sort} limit ?`,
    rest: `select ${isThere}, case when exists (select 1 from ${records}${whereOf(further)}) then 1 else 0 end`,
  };
}

type Ordering = Pick<Dialect["sorting"], "comparesRows"> & Pick<FeedSource, "commits">;

/** Behind a position, or up to it. */
function beside(side: ">" | "<=", [first, seq]: readonly string[], { commits, comparesRows }: Ordering): string {
  if (commits === null) return `${first} ${side} ?`;
  const given = commits.bind("?");
  if (comparesRows) return `(${first}, ${seq}) ${side} (${given}, ?)`;
  const strict = side === ">" ? ">" : "<";
  return `${first} ${strict}= ${given} and (${first} ${strict} ${given} or ${seq} ${side} ?)`;
}

/** The record itself: numbers may be given anew, but not with the instant at which they were. Positions of before have none. */
function same([first, seq]: readonly string[], at: string, commits: CommitOrder | null): readonly string[] {
  const place = commits === null ? [`${first} = ?`] : [`${first} = ${commits.bind("?")}`, `${seq} = ?`];
  return [...place, `(? = '' or ${at} = ?)`];
}

function toRecord([, commit, seq, model, kind, id, version, before, after, actor, requestId, at]: Row): PlacedChange {
  return {
    position: `${String(commit)}.${String(seq)}.${Date.parse(String(at)).toString(36)}`,
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

// Transactions are counted in 64 bits without a sign, so their numbers stay texts. Instants lie in the years 1 to 9999, whatever a clock says.
const positionPattern = /^(\d{1,20})\.(\d{1,16})(?:\.(-?[0-9a-z]{1,10}))?$/;

function parsePosition(position: string): { readonly commit: string; readonly seq: number; readonly at: string } {
  const [, commit, seq, at] = positionPattern.exec(position) ?? [];
  if (commit === undefined || seq === undefined) throw fail("invalid_cursor");
  return { commit, seq: Number(seq), at: at === undefined ? "" : new Date(Number.parseInt(at, 36)).toISOString() };
}
