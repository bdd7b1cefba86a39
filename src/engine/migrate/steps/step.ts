/** The steps that a migration is made of: what each runs, does, holds up, loses and asks of the data before it starts. */
import type { Altered, Ddl, Deed, Phase, Waiting } from "../../../drivers/ddl.ts";
import { shownTable } from "../../../schema/table-name.ts";

/** Counts what stands in the way; asked before the migration, on the tables as they are then. */
export interface Check {
  /** Its one row's one column is how many rows do not fit. */
  readonly query: string;
  /** Whether it counts them all, or only tells that there are some. */
  readonly counted: boolean;
  readonly why: string;
  readonly mend: string;
}

export type StepKind =
  | "system"
  | "note"
  | "take-over"
  | "leave"
  | "create-table"
  | "drop-table"
  | "rename-table"
  | "rename-column"
  | "add-column"
  | "drop-column"
  | "change-column"
  | "rebuild-table"
  | "change-key"
  | "add-references"
  | "drop-references"
  | "create-index"
  | "rename-index"
  | "drop-index";

export interface Step {
  readonly kind: StepKind;
  /** The model it is about, or an empty text. */
  readonly model: string;
  readonly sql: readonly string[];
  /** In plain words, one sentence each. */
  readonly does: readonly string[];
  /** What follows once all steps are done; the rows of `table` are passed over then, and nobody waits for it. */
  readonly later: readonly Phase[];
  /** How long others wait: not at all, for a moment, or while every row of `table` is passed over. */
  readonly work: "none" | "moment" | "rows";
  readonly waits: Waiting;
  /** It is committed by itself, so that nobody waits for what comes after it. */
  readonly commits: boolean;
  /** The table whose rows count, by its name before the migration; null where there is none. */
  readonly table: string | null;
  /** What is gone afterwards, one sentence each. */
  readonly loses: readonly string[];
  /** The phrases that confirm the losses, as in `drop films.title`. */
  readonly confirm: readonly string[];
  readonly checks: readonly Check[];
  /** Why it cannot be done whatever the data, with the mend. */
  readonly refusal: string | null;
}

const blank: Omit<Step, "kind" | "model"> = Object.freeze({
  sql: [],
  later: [],
  does: [],
  work: "moment",
  waits: "writers",
  commits: false,
  table: null,
  loses: [],
  confirm: [],
  checks: [],
  refusal: null,
});

export function createStep(step: Partial<Step> & Pick<Step, "kind" | "model">): Step {
  const { does, loses, refusal, checks, ...rest } = { ...blank, ...step };
  const told = checks.map((check) => ({ ...check, why: shownTable(check.why), mend: shownTable(check.mend) }));
  return Object.freeze({
    ...rest,
    does: does.map(shownTable),
    loses: loses.map(shownTable),
    checks: told,
    refusal: refusal === null ? null : shownTable(refusal),
  });
}

/** How long others wait for a deed, and who. */
export function lockOf({ manner }: Ddl, deed: Deed, on?: Altered): Pick<Step, "work" | "waits" | "commits"> {
  const { waits, rows } = manner.lockOf(deed, on);
  const work = rows ? "rows" : waits === "nobody" ? "none" : "moment";
  return { work, waits, commits: !manner.transactional };
}

/** Whether the table is copied whole by a step that commits by itself. */
export function isCopied({ commits, waits, work }: Pick<Step, "commits" | "waits" | "work">): boolean {
  return commits && waits === "writers" && work === "rows";
}

/** Whether a step needs a written confirmation. */
export function isDestructive(step: Step): boolean {
  return step.confirm.length > 0;
}

/** `1 row`, `12,000 rows`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
}
