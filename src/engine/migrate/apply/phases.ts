/** Runs a migration: the steps with the journal's entry in one transaction, then each phase with a mark in the journal, so that it can go on. */
import { type Database, type Migrator, type Statement, UnitRefused } from "../../../drivers/database.ts";
import type { Ddl, Phase } from "../../../drivers/ddl.ts";
import { failMigrate } from "../errors.ts";
import {
  closeEntry,
  guardEntry,
  isAsMarked,
  type JournalEntry,
  markEntry,
  openEntry,
  readEntry,
  readHead,
} from "../journal/journal.ts";
import type { Step } from "../steps/step.ts";

interface Running {
  readonly database: Database;
  readonly ddl: Ddl;
}

/** Another process has written an entry of that number first. */
export class AlreadyThere extends Error {
  override readonly name = "AlreadyThere";
}

/** A statement, and what to say when it is refused. */
interface Spoken {
  readonly text: string;
  readonly says: (reason: string) => string;
}

interface SpokenPhase extends Phase {
  readonly says: Spoken["says"];
}

/** What a migration runs first, with its entry, and what follows. Follows from the entry alone, so that another process can go on. */
interface Layout {
  readonly first: readonly Spoken[];
  readonly phases: readonly SpokenPhase[];
}

function layOut({ up }: JournalEntry, ddl: Ddl): Layout {
  const { manner } = ddl;
  const later = up.flatMap((step) => step.later.map((phase): SpokenPhase => ({ ...phase, says: saying(step) })));
  // What is proved by a phase is not asked with everyone kept away.
  const asked = up.filter((step) => step.later.length === 0);
  const guards = asked.flatMap((step) => guardsOf(step, ddl));
  const steps = up.flatMap(statementsOf);
  if (!manner.transactional) return { first: guards, phases: [...steps.map(toPhase), ...later] };
  const tables = asked.flatMap(({ checks, table }) => (checks.length > 0 && table !== null ? [table] : []));
  const locked = manner.lockTables === null || tables.length === 0 ? [] : [manner.lockTables([...new Set(tables)].toSorted())];
  return { first: [...locked.map((text) => ({ text, says: reasonOf })), ...guards, ...steps], phases: later };
}

/** The checks once more, inside the transaction: a writer may have been faster. */
function guardsOf({ checks }: Step, ddl: Ddl): readonly Spoken[] {
  return checks.map(({ query, why, mend }) => ({
    text: guardEntry(query, ddl),
    says: () => `${why} ${mend}`,
  }));
}

function statementsOf(step: Step): readonly Spoken[] {
  return step.sql.map((text) => ({ text, says: saying(step) }));
}

function saying({ kind, does }: Step): Spoken["says"] {
  // Rows that lead nowhere are refused by the foreign key, or by a question that proves it.
  return (reason) => `${does[0] ?? ""} ${reasonOf(kind === "add-references" ? "foreign_key" : reason)}`;
}

/** Rows are changed in a transaction with the mark, once; a definition commits by itself, and leaves its trace in the catalogue. */
function toPhase({ text, says }: Spoken): SpokenPhase {
  return { sql: [text], alone: !/^(UPDATE|INSERT|DELETE|SELECT)\b/i.test(text), clean: null, unless: null, says };
}

const reasons: Readonly<Record<string, string>> = {
  unique: "Two rows have the same values. Make them differ first.",
  not_null: "Some rows hold null where a value is required. Fill them first, or give the field a default().",
  foreign_key: "Some rows refer to rows that do not exist. Mend or remove them first.",
  check: "Some rows hold a value that the new type does not have. Change them first.",
};

function reasonOf(reason: string): string {
  return reasons[reason] ?? "The database refused it.";
}

/** Everything in one transaction. `run` is what runs it. */
export async function runWhole({ ddl }: Pick<Running, "ddl">, entry: JournalEntry, run: Database["migrate"]): Promise<void> {
  const everything = entry.up.flatMap((step) => [
    ...statementsOf(step),
    ...step.later.flatMap(({ sql }) => sql.map((text) => ({ text, says: saying(step) }))),
  ]);
  await runFirst({
    first: [...entry.up.flatMap((step) => guardsOf(step, ddl)), ...everything],
    last: closeEntry(entry, ddl),
    entry,
    ddl,
    run,
  });
}

interface First {
  readonly first: readonly Spoken[];
  readonly last: Statement;
  readonly entry: JournalEntry;
  readonly ddl: Ddl;
  readonly run: (statements: readonly Statement[]) => Promise<void>;
}

async function runFirst({ first, last, entry, ddl, run }: First): Promise<void> {
  const opening = openEntry(entry, ddl);
  try {
    await run([...opening, ...first.map(({ text }) => ({ text, params: [] })), last]);
  } catch (error) {
    if (!(error instanceof UnitRefused)) throw error;
    if (error.step < opening.length) throw new AlreadyThere();
    // Some databases check references once, at the end, whatever step broke them.
    const said = error.reason === "foreign_key" ? undefined : first[error.step - opening.length];
    throw failMigrate("migration_refused", {
      fields: { reasons: `  ${said?.says(error.reason) ?? reasonOf(error.reason)}` },
      cause: error,
    });
  }
}

/** What cannot be undone as a whole, and can go on where it stopped. */
export async function runInPhases({ ddl }: Pick<Running, "ddl">, entry: JournalEntry, migrator: Migrator): Promise<void> {
  const { first, phases } = layOut(entry, ddl);
  const last = phases.length === 0 ? closeEntry(entry, ddl) : markEntry(entry, 0, ddl);
  if (migrator.attempt !== undefined) {
    // On what another process has changed already, nothing is to be tried.
    const head = await readHead(migrator, ddl);
    if (head !== null && head.number >= entry.number) throw new AlreadyThere();
    await tryOut(migrator, phases);
  }
  await runFirst({ first, last, entry, ddl, run: (statements) => migrator.together(statements) });
  await runPhases({ migrator, ddl, entry, phases }, 0);
}

/** A definition that the database does not take must not be met in the middle: nothing would lead on from there, or back. */
async function tryOut(migrator: Migrator, phases: readonly SpokenPhase[]): Promise<void> {
  const texts = phases.flatMap(({ sql, says }) => sql.map((text) => ({ text, says })));
  const refused = await migrator.attempt?.(texts.map(({ text }) => text));
  if (refused === null || refused === undefined) return;
  const says = texts[refused.index]?.says("definition") ?? "";
  throw failMigrate("migration_refused", { fields: { reasons: `  ${says} It says: ${refused.why}` } });
}

/**
 * Goes on with a migration that was ended in between, by a kill or by rows that did not fit; does nothing where there is none.
 * @throws AppError `migration_unfinished`
 */
export async function resumeMigration({ database, ddl }: Running): Promise<void> {
  await database.migrator?.(async (migrator) => {
    const head = await readHead(migrator, ddl);
    const entry = head === null || head.next === null ? null : await readEntry(migrator, head.number, ddl);
    if (head === null || head.next === null || entry === null) return;
    const { phases } = layOut(entry, ddl);
    const phase = phases[head.next];
    // A definition without a question of its own was run where the definitions are others than before it.
    const isDone = phase !== undefined && phase.alone && phase.unless === null && !(await isAsMarked(migrator, head.next, ddl));
    await runPhases({ migrator, ddl, entry, phases }, isDone ? head.next + 1 : head.next);
  });
}

interface Phases {
  readonly migrator: Migrator;
  readonly ddl: Ddl;
  readonly entry: JournalEntry;
  readonly phases: readonly SpokenPhase[];
}

async function runPhases({ migrator, ddl, entry, phases }: Phases, from: number): Promise<void> {
  const markAt = (next: number) => (next >= phases.length ? closeEntry(entry, ddl) : markEntry(entry, next, ddl));
  if (from > 0) await migrator.together([markAt(from)]);
  for (const [index, phase] of phases.entries()) {
    if (index >= from) await runPhase(migrator, phase, markAt(index + 1));
  }
}

async function runPhase(migrator: Migrator, phase: SpokenPhase, mark: Statement): Promise<void> {
  const { sql, alone, says } = phase;
  try {
    if (!alone) return await migrator.together([...sql.map((text) => ({ text, params: [] })), mark]);
    if (!(await isDone(migrator, phase))) await runAlone(migrator, phase);
    await migrator.together([mark]);
  } catch (error) {
    if (!(error instanceof UnitRefused)) throw error;
    throw failMigrate("migration_unfinished", { fields: { reason: says(error.reason) }, cause: error });
  }
}

async function runAlone(migrator: Migrator, { sql, clean }: SpokenPhase): Promise<void> {
  try {
    if (clean !== null) await migrator.alone(clean);
    for (const text of sql) await migrator.alone(text);
  } catch (error) {
    if (clean !== null && error instanceof UnitRefused) await migrator.alone(clean);
    throw error;
  }
}

async function isDone(migrator: Migrator, { unless }: SpokenPhase): Promise<boolean> {
  if (unless === null) return false;
  const [row] = await migrator.read({ text: unless, params: [] });
  return Number(row?.[0]) > 0;
}
