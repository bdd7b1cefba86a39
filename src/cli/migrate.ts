/** `holdfast migrate plan|apply|status|down`: shows what would happen, does it, tells where things stand, and goes back. */
import { AppError } from "../base/errors.ts";
import { databaseErrors } from "../drivers/database.ts";
import { applyMigration, commandOf, findRefusals, type MigrateContext, planEntry } from "../engine/migrate/apply/apply.ts";
import { downEntry, migrateDown, planDown } from "../engine/migrate/apply/down.ts";
import { type DryRun, type DryRunOptions, dryRun } from "../engine/migrate/apply/dry-run.ts";
import { countRows, explainStep, writePlan } from "../engine/migrate/plan/explain.ts";
import type { JournalEntry, JournalHead } from "../engine/migrate/journal/journal.ts";
import { resumeMigration } from "../engine/migrate/apply/phases.ts";
import { phrasesOf } from "../engine/migrate/plan/plan.ts";
import { migrationStatus } from "../engine/migrate/status.ts";
import { count, type Step } from "../engine/migrate/steps/step.ts";
import type { Schema } from "../schema/schema.ts";

export type MigrateAction = "plan" | "apply" | "status" | "down";

export interface MigrateCommand extends MigrateContext, DryRunOptions {
  readonly schema: Schema;
  /** Prints one line, or one JSON document. */
  readonly out: (line: string) => void;
}

export interface MigrateOptions {
  readonly action: MigrateAction;
  /** One JSON document instead of text. @default false */
  readonly json?: boolean;
  /** Phrases that confirm losses; may be given more than once. @default none */
  readonly confirm?: readonly string[];
  /** Rehearse on a copy and change nothing. @default false */
  readonly dryRun?: boolean;
}

/** What a command answers: an exit code, the text for a person and the document for a program. */
interface Report {
  readonly code: number;
  readonly lines: readonly string[];
  readonly document: Readonly<Record<string, unknown>>;
}

/** 0: done, or nothing to do. 1: it failed. 2: something is pending, has drifted, or waits for a confirmation. */
export const exitCodes = Object.freeze({ done: 0, failed: 1, pending: 2 });

/** Runs one action and resolves with the exit code. Errors of the database, and those that are not the product's own, go through. */
export async function runMigrate(command: MigrateCommand, options: MigrateOptions): Promise<number> {
  const report = await actions[options.action](command, options).catch(reportError);
  if (options.json) command.out(JSON.stringify(report.document, null, 2));
  else for (const line of report.lines) command.out(line);
  return report.code;
}

const waiting: ReadonlySet<string> = new Set(["migration_unconfirmed", "migration_pending", "migration_drifted"]);

function reportError(error: unknown): Report {
  // What the database says of itself is told as in every other command, with its reason.
  if (!(error instanceof AppError) || error.code in databaseErrors) throw error;
  const { code, message, explanation } = error;
  const exit = waiting.has(code) ? exitCodes.pending : exitCodes.failed;
  return { code: exit, lines: [message, explanation], document: { error: { code, message, explanation } } };
}

const actions: Readonly<Record<MigrateAction, (command: MigrateCommand, options: MigrateOptions) => Promise<Report>>> = {
  plan: reportPlan,
  apply: reportApply,
  status: reportStatus,
  down: reportDown,
};

async function reportPlan(command: MigrateCommand, options: MigrateOptions): Promise<Report> {
  const { plan, refusals, drift, head, state } = await migrationStatus(command);
  if (options.dryRun) return reportDryRun(command, planEntry(command, plan, head));
  const rows = await countRows(command.database, head === null || drift.length > 0 ? [] : plan.steps, command.ddl);
  const apply = commandOf("apply", phrasesOf(plan.steps), command.places);
  const way =
    "refusal" in plan.down ? `There is no way back: ${plan.down.refusal}` : "It can be undone with `holdfast migrate down`.";
  const lines =
    state === "current"
      ? ["The database is up to date."]
      : [
          ...writePlan(plan.steps, rows, plan.hints),
          ...refusals.map((line) => `REFUSED: ${line}`),
          way,
          `Apply it with: ${apply}`,
        ];
  const document = {
    state,
    steps: plan.steps.map((step) => explainStep(step, rows)),
    hints: plan.hints,
    refusals,
    drift,
    command: state === "current" ? null : apply,
    reversible: !("refusal" in plan.down),
    unfinished: unfinishedOf(head),
  };
  return {
    code: state === "current" ? exitCodes.done : exitCodes.pending,
    lines: [...unfinishedLines(head), ...lines, ...driftLines(drift)],
    document,
  };
}

async function reportApply(command: MigrateCommand, options: MigrateOptions): Promise<Report> {
  const found = await migrationStatus(command);
  if (found.head !== null && found.head.next !== null && !options.dryRun) {
    await resumeMigration(command);
    const number = found.head.number;
    const rest = await reportApply(command, options);
    return { ...rest, lines: [`Brought migration ${number} to its end.`, ...rest.lines] };
  }
  const { plan, head, state } = found;
  if (state === "current")
    return {
      code: exitCodes.done,
      lines: ["The database is up to date."],
      document: { applied: false, number: head?.number ?? 0, steps: 0 },
    };
  if (options.dryRun) return reportDryRun(command, planEntry(command, plan, head));
  const { number, applied } = await applyMigration(command, plan, { head, confirmations: options.confirm ?? [] });
  const told = applied
    ? `Applied migration ${number}: ${count(plan.steps.length, "step")}.`
    : "Another process has applied it already.";
  return { code: exitCodes.done, lines: [...does(plan.steps), told], document: { applied, number, steps: plan.steps.length } };
}

async function reportDown(command: MigrateCommand, options: MigrateOptions): Promise<Report> {
  const plan = await planDown(command);
  if (options.dryRun) return reportDryRun(command, downEntry(command, plan));
  const { number, applied } = await migrateDown(command, plan, options.confirm ?? []);
  const told = `Undid migration ${plan.undone.number}: ${count(plan.steps.length, "step")}.`;
  return {
    code: exitCodes.done,
    lines: [...does(plan.steps), told],
    document: { applied, number, undone: plan.undone.number, steps: plan.steps.length },
  };
}

async function reportStatus(command: MigrateCommand): Promise<Report> {
  const { state, entries, plan, refusals, drift, head } = await migrationStatus(command);
  const current = head?.current ?? 0;
  const listed = entries.map(
    ({ number, kind, appliedAt, up }) =>
      `${number === current ? "*" : " "} ${number}  ${appliedAt}  ${kind}  ${count(up.length, "step")}`,
  );
  const told = {
    empty: "The database is empty; the first start makes everything.",
    current: "The database is up to date.",
    pending: `${count(plan.steps.length, "step")} pending; see \`holdfast migrate plan\`.`,
  };
  const document = {
    state,
    current,
    entries: entries.map(({ up, down, snapshot, ...entry }) => ({
      ...entry,
      steps: up.length,
      reversible: !("refusal" in down),
      models: snapshot.models.length,
    })),
    pending: state === "current" ? 0 : plan.steps.length,
    unfinished: unfinishedOf(head),
    refusals,
    drift,
  };
  const isFine = state === "current" && drift.length === 0;
  const lines = [
    ...listed,
    ...unfinishedLines(head),
    told[state],
    ...refusals.map((line) => `REFUSED: ${line}`),
    ...driftLines(drift),
  ];
  return { code: isFine ? exitCodes.done : exitCodes.pending, lines, document };
}

async function reportDryRun(command: MigrateCommand, entry: JournalEntry): Promise<Report> {
  const refusals = entry.number === 1 ? [] : await findRefusals(command.database, entry.up);
  if (refusals.length > 0)
    return { code: exitCodes.failed, lines: refusals.map((line) => `REFUSED: ${line}`), document: { dryRun: null, refusals } };
  const run = await dryRun(command, entry, command);
  const code = run.faults.length > 0 ? exitCodes.failed : exitCodes.done;
  return { code, lines: dryRunLines(run), document: { dryRun: { ...run, rows: Object.fromEntries(run.rows) }, refusals } };
}

function dryRunLines({ rows, copyMs, applyMs, faults }: DryRun): string[] {
  const spell = (rowCount: number | null) => (rowCount === null ? "none" : count(rowCount, "row"));
  return [
    copyMs === null
      ? `Ran everything in a transaction of ${applyMs.toFixed(0)} ms, and undid it.`
      : `Copied the database in ${copyMs.toFixed(0)} ms, migrated the copy in ${applyMs.toFixed(0)} ms, and removed it.`,
    ...[...rows].map(([table, { before, after }]) => `  ${table}: ${spell(before)} before, ${spell(after)} after`),
    ...(faults.length === 0
      ? [`The ${copyMs === null ? "outcome" : "copy"} is sound. The database was not changed.`]
      : faults.map((fault) => `FAULT: ${fault}`)),
  ];
}

function does(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => step.does);
}

function driftLines(drift: readonly string[]): string[] {
  return drift.map((line) => `DRIFT: ${line}`);
}

/** The number of a migration that has not come to its end. */
function unfinishedOf(head: JournalHead | null): number | null {
  return head === null || head.next === null ? null : head.number;
}

function unfinishedLines(head: JournalHead | null): string[] {
  const number = unfinishedOf(head);
  if (number === null) return [];
  return [`UNFINISHED: migration ${number} goes on with \`holdfast migrate apply\`, or at the next start.`];
}
