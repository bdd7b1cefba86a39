/** Says a plan in plain words: what each step does, who waits for how many rows, what is lost, and the SQL. */
import type { Database } from "../../drivers/database.ts";
import type { Ddl } from "../../drivers/ddl.ts";
import { count, type Step } from "./steps/step.ts";

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
}

/** Counts the rows of the tables that the steps pass over or drop. */
export async function countRows(database: Database, steps: readonly Step[], ddl: Pick<Ddl, "quote">): Promise<RowCounts> {
  const tables = new Set(
    steps.flatMap(({ table, work, confirm }) => (table !== null && (work === "rows" || confirm.length > 0) ? [table] : [])),
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
  return Object.freeze({ kind, model, does, locks: locksOf(step, counted), loses, confirm, sql });
}

function locksOf({ kind, work, table }: Step, rows: number | undefined): string {
  if (work === "none") return "Nothing waits: the database is not changed.";
  if (work === "moment") return "Writers wait for a moment; readers do not.";
  const passed = rows === undefined ? `the rows of ${table}` : `${count(rows, "row")} of ${table}`;
  const deed = kind === "create-index" ? `are sorted into the index` : kind === "rebuild-table" ? "are copied" : "are rewritten";
  return `Writers wait while ${passed} ${deed}; readers see the old rows until all steps are done.`;
}

/** The plan as lines of text for a person. */
export function writePlan(steps: readonly Step[], rows: RowCounts, hints: readonly string[] = []): readonly string[] {
  const lines = steps.flatMap((step, index) => {
    const { does, locks, loses, confirm, sql } = explainStep(step, rows);
    const [first, ...more] = does;
    return [
      `${index + 1}. ${first}`,
      ...more.map((line) => `   ${line}`),
      `   ${locks}`,
      ...loses.map((loss) => `   LOST: ${loss}`),
      ...confirm.map((phrase) => `   Confirm with --confirm ${JSON.stringify(phrase)}`),
      ...sql.flatMap((text) => `${text};`.split("\n").map((line) => `     ${line}`)),
      "",
    ];
  });
  return [...lines, ...hints.map((hint) => `Hint: ${hint}`)];
}
