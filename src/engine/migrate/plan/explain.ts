/** Says a plan in plain words: what each step does, who waits for how many rows, what is lost, and the SQL. */
import type { Ddl } from "../../../drivers/ddl.ts";
import { shownTable } from "../../../schema/table-name.ts";
import type { Readable } from "../journal/journal.ts";
import { count, isCopied, type Step } from "../steps/step.ts";

/** Rows by table; a table that is not there yet has none. */
export type RowCounts = ReadonlyMap<string, number>;

/** One step, told. */
export interface Explained {
  readonly kind: Step["kind"];
  readonly model: string;
  readonly does: readonly string[];
  readonly locks: string;
  readonly loses: readonly string[];
  readonly confirm: readonly string[];
  readonly sql: readonly string[];
  /** What follows once all steps are done. */
  readonly later: readonly string[];
}

/** Counts the rows of the tables that the steps pass over or drop. */
export async function countRows(database: Readable, steps: readonly Step[], ddl: Pick<Ddl, "quote">): Promise<RowCounts> {
  const tables = new Set(
    steps.flatMap(({ table, work, confirm, later }) =>
      table !== null && (work === "rows" || confirm.length > 0 || later.length > 0) ? [table] : [],
    ),
  );
  const counts = new Map<string, number>();
  for (const table of tables) {
    const [row] = await database.read({ text: `SELECT count(*) FROM ${ddl.quote(table)}`, params: [] }, { long: true });
    counts.set(table, Number(row?.[0] ?? 0));
  }
  return counts;
}

export function explainStep(step: Step, rows: RowCounts): Explained {
  const { kind, model, does, confirm, sql } = step;
  const counted = step.table === null ? undefined : rows.get(step.table);
  const loses = step.loses.map((loss) =>
    counted === undefined ? loss : `${loss.replace(/\.$/, "")} (${count(counted, "row")}).`,
  );
  const later = step.later.flatMap((phase) => phase.sql);
  return Object.freeze({ kind, model, does, locks: locksOf(step, counted), loses, confirm, sql, later });
}

function locksOf(step: Step, rows: number | undefined): string {
  const { work, later, table, sql } = step;
  if (later.length > 0) {
    const first = sql.length > 0 ? `${work === "rows" && step.commits ? whileRows(step, rows) : momentOf(step)} ` : "";
    const deed = step.kind === "create-index" ? "sorted into the index" : "looked at";
    return `${first}Then, after all steps, nobody waits while ${passed(table, rows)} are ${deed}.`;
  }
  if (work === "none") return sql.length > 0 ? "Nobody waits." : "Nothing waits: the database is not changed.";
  return work === "moment" ? momentOf(step) : whileRows(step, rows);
}

function whileRows(step: Step, rows: number | undefined): string {
  const { waits, kind, table } = step;
  const deed = `${passed(table, rows)} are ${isCopied(step) ? "copied" : (deeds[kind] ?? "rewritten")}`;
  if (isCopied(step)) return `Writers wait while ${deed}, and readers for a moment.`;
  if (waits === "nobody") return `Readers and writers wait for a moment, and nobody while ${deed}.`;
  if (waits === "everyone") return `Readers and writers wait while ${deed}, and until all steps are done.`;
  return `Writers wait while ${deed}; readers see the old rows until all steps are done.`;
}

function momentOf({ waits, table }: Step): string {
  if (waits === "writers") return "Writers wait for a moment; readers do not.";
  return `Readers and writers${table === null ? "" : ` of ${shownTable(table)}`} wait for a moment.`;
}

const deeds: Partial<Readonly<Record<Step["kind"], string>>> = {
  "create-index": "sorted into the index",
  "rebuild-table": "copied",
  "change-key": "sorted into the index",
  "add-references": "looked at",
};

function passed(table: string | null, rows: number | undefined): string {
  const at = shownTable(String(table));
  return rows === undefined ? `the rows of ${at}` : `${count(rows, "row")} of ${at}`;
}

/** The plan as lines of text for a person. */
export function writePlan(steps: readonly Step[], rows: RowCounts, hints: readonly string[] = []): readonly string[] {
  const lines = steps.flatMap((step, index) => {
    const { does, locks, loses, confirm, sql, later } = explainStep(step, rows);
    const [first, ...more] = does;
    return [
      `${index + 1}. ${first}`,
      ...more.map((line) => `   ${line}`),
      `   ${locks}`,
      ...loses.map((loss) => `   LOST: ${loss}`),
      ...confirm.map((phrase) => `   Confirm with --confirm ${JSON.stringify(phrase)}`),
      ...sql.flatMap(indented),
      ...(later.length > 0 ? ["   Afterwards:", ...later.flatMap(indented)] : []),
      "",
    ];
  });
  return [...lines, ...hints.map((hint) => `Hint: ${hint}`)];
}

function indented(sql: string): string[] {
  return `${sql};`.split("\n").map((line) => `     ${line}`);
}
