/** Shapes rows into results: the JSON texts stay as the database made them. */
import type { Row } from "../../drivers/database.ts";
import type { Value } from "../../schema/value.ts";
import type { ReadCall, SingleResult } from "../call.ts";
import { encodeCursor, turnCursor } from "../cursor.ts";
import { fail } from "../errors.ts";
import type { Prepared } from "../context.ts";
import type { ShapedRead } from "./bind.ts";

interface Shaping {
  readonly call: ReadCall;
  readonly prepared: Prepared;
  readonly shaped: ShapedRead;
}

/** @throws not_found for a single row that is not there; limit_exceeded for more groups than allowed. */
export function shapeResult(rows: readonly Row[], shaping: Shaping): SingleResult {
  const { prepared, shaped, call } = shaping;
  if (call.op === "get") {
    const row = rows[0];
    if (!row) throw fail("not_found");
    const version = row[1] === null ? null : Number(row[1]);
    return { kind: "row", json: row[0] as string, id: call.id, version, created: false, changed: false };
  }
  if (call.op === "aggregate") {
    if (rows.length > shaped.limit && call.query.limit === undefined)
      throw fail("limit_exceeded", { fields: { limit: "groupsMax", max: shaped.limit } });
    return { kind: "aggregate", rows: rows.slice(0, shaped.limit).map((row) => row[0] as string) };
  }
  return shapePage(rows, prepared.plan.kind === "list" && prepared.plan.count !== "none", shaping);
}

function shapePage(rows: readonly Row[], counted: boolean, { shaped, call }: Shaping): SingleResult {
  const count = counted ? Number(rows[0]?.[0] ?? 0) : null;
  const first = counted ? 1 : 0;
  // With a count there is a row even where the page is empty: its JSON is null.
  const found = counted ? rows.filter((row) => row[1] !== null) : rows;
  if (shaped.model.key.length === 0) return countedPage(found, { first, count }, shaped);
  const query = call.op === "list" ? call.query : {};
  const isBackwards = query.before !== undefined;
  const hasMore = found.length > shaped.limit;
  const kept = hasMore ? found.slice(0, shaped.limit) : found;
  const page = isBackwards ? kept.toReversed() : kept;
  const cursor = (row: Row | undefined) => (row ? encodeCursor(shaped.seal, row.slice(first + 1) as Value[]) : null);
  const hasPrev = isBackwards ? hasMore : (query.page ?? 1) > 1;
  // The way back is the cursor that led here, from its other side: signing costs more than finding a row.
  const back = (cameBy: string) => (page.length === 0 ? null : turnCursor(cameBy));
  return {
    kind: "list",
    rows: page.map((row) => row[first] as string),
    next: query.before !== undefined ? back(query.before) : hasMore ? cursor(page.at(-1)) : null,
    prev: query.after !== undefined ? back(query.after) : hasPrev ? cursor(page[0]) : null,
    count,
  };
}

/** A page of rows without a key: its cursors say how many rows come before. */
function countedPage(
  found: readonly Row[],
  { first, count }: { readonly first: number; readonly count: number | null },
  { limit, offset, seal }: ShapedRead,
): SingleResult {
  const cursor = (skipped: number) => encodeCursor(seal, [skipped]);
  return {
    kind: "list",
    rows: found.slice(0, limit).map((row) => row[first] as string),
    next: found.length > limit ? cursor(offset + limit) : null,
    prev: offset > 0 ? cursor(offset) : null,
    count,
  };
}
