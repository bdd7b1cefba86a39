/**
 * The writer: takes queued units and transactions and gives as many as may share it one commit, answered only after it.
 * It runs in its own thread but knows nothing of threads.
 */
import type { Value } from "../../../database.ts";
import { type CheckpointOutcome, type Checkpoints, createCheckpoints } from "./checkpoint.ts";
import { type Connection, withBusyTimeout } from "../connection.ts";
import { describe, type Failure, isCommitUndone, isFull, isIndexFull, isSyncLost } from "../failures.ts";
import { createJobQueue } from "./job-queue.ts";
import type { Answer, Batch, Job, Reply, WireStep } from "../messages.ts";
import { migrate } from "./migrate.ts";
import type { ThreadSettings } from "../options.ts";
import { createTurns, type Turns } from "./turns.ts";
import { runUnit, runUnitBare, undo } from "./units.ts";

/** A main thread that work comes from, of this process or another. */
export interface Client {
  /** What its numbers of texts stand for. */
  readonly texts: string[];
  readonly post: (reply: Reply) => void;
}

export interface WriterOptions {
  readonly connection: Connection;
  readonly settings: ThreadSettings;
  /** Why nothing may be written: the writer before this one lost a sync. */
  readonly broken: Failure | null;
  /** Milliseconds on a clock that never goes back; only differences count. */
  readonly now: () => number;
}

type From<J> = J & { readonly from: Client };
type Of<Kind extends Job["kind"]> = From<Extract<Job<string>, { kind: Kind }>>;
/** `alone`: its group failed although it may be innocent, so it runs in a commit of its own and gets its own verdict. */
type Queued = (Of<"unit"> & { readonly alone?: boolean }) | Of<"begin"> | Of<"migrate"> | Of<"close">;
/** Who shares a commit, and what each is answered when it succeeds. A refusal waits too: it may rest on a neighbour's row. */
interface Member {
  readonly job: (Of<"unit"> & { readonly alone?: boolean }) | Of<"begin">;
  readonly answer: Answer;
}
interface Verdict {
  readonly job: { readonly from: Client };
  readonly answer: Answer;
}
interface Group {
  readonly sinceMs: number;
  readonly members: Member[];
  /** One of them is a transaction, which cannot be run again. */
  hasTransaction: boolean;
}

/** What a group costs that starts over is then shared by many. */
const carefulUnits = 512;

export class Writer {
  readonly #options: WriterOptions;
  readonly #queue = createJobQueue<Queued>();
  readonly #clients = new Set<Client>();
  readonly #checkpoints: Checkpoints;
  readonly #turns: Turns;
  #group: Group | null = null;
  /** The transaction that its caller holds open; nothing else runs meanwhile. */
  #held: { readonly job: Of<"begin">; readonly timer: NodeJS.Timeout } | null = null;
  #broken: Failure | null = null;
  /** So many units more have a savepoint each: one before them was refused, and others like it may follow. */
  #careful = 0;
  /** There was no space for a commit, and none has succeeded since. */
  #tight = false;
  #checkpointFails = false;
  #awake = false;
  #counts = { commits: 0, units: 0, checkpoints: 0, logPages: 0 };

  constructor(options: WriterOptions) {
    this.#options = options;
    const { connection, settings, now, broken } = options;
    this.#broken = broken;
    this.#checkpoints = createCheckpoints(connection, settings.checkpointPages);
    this.#turns = createTurns(connection, { busyTimeoutMs: settings.busyTimeoutMs, now });
  }

  /** Why nothing is written any more, or null. */
  get broken(): Failure | null {
    return this.#broken;
  }

  /** Takes in somebody whose work is to be done. It hears at once how things stand. */
  join(post: Client["post"]): Client {
    const client: Client = { texts: [], post };
    this.#clients.add(client);
    const { message } = this.#broken ?? { message: null };
    post({
      answers: [],
      counts: { ...this.#counts },
      ...(message === null ? {} : { trouble: { kind: "sync_failed", message } }),
    });
    return client;
  }

  /** Somebody is gone: what it waits for is not begun any more, and the transaction that it holds open is undone. */
  leave(client: Client): void {
    if (!this.#clients.delete(client)) return;
    this.#queue.remove(({ from }) => from === client);
    if (this.#held?.job.from !== client) return;
    clearTimeout(this.#held.timer);
    this.#held = null;
    if (!undo(this.#options.connection, "held")) this.#abort(lostTransaction);
    this.#wake();
  }

  /** A batch without work is a question whether it is still there. */
  receive(from: Client, { reset, texts, jobs }: Batch): void {
    if (jobs.length === 0) from.post({ answers: [], counts: { ...this.#counts } });
    if (reset) from.texts.length = 0;
    from.texts.push(...texts);
    const read = (steps: readonly WireStep[]) =>
      steps.map(([text, kind, params, changes]): WireStep<string> => [from.texts[text] as string, kind, params, changes]);
    for (const job of jobs) {
      if (job.kind === "unit") this.#queue.push({ ...job, from, steps: read(job.steps) });
      else if (job.kind === "read") this.#serve({ ...job, from, step: read([job.step])[0] as WireStep<string> });
      else if (job.kind === "write") this.#serve({ ...job, from, steps: read(job.steps) });
      else if (job.kind === "end") this.#serve({ ...job, from });
      else this.#queue.push({ ...job, from });
    }
    this.#wake();
  }

  /** The next turn comes after all messages that are here already have been taken in: they share its commit. */
  #wake(): void {
    if (this.#awake || this.#held !== null || (this.#queue.size() === 0 && this.#group === null)) return;
    this.#awake = true;
    setImmediate(() => this.#turn());
  }

  /** Fills one group and commits it, or stops at a transaction that its caller holds open. */
  #turn(): void {
    this.#awake = false;
    while (this.#held === null) {
      const job = this.#queue.peek();
      if (job === undefined || (this.#group !== null && this.#isClosedTo(job, this.#group))) {
        this.#commit();
        break;
      }
      if (this.#broken !== null && job.kind !== "close") this.#tellAll(refuseAll(this.#take(), this.#broken));
      else if (job.kind === "migrate" || job.kind === "close") this.#runByItself(job);
      else if (this.#group === null && !this.#begin()) break;
      else this.#run(job);
    }
    this.#wake();
  }

  #isClosedTo(job: Queued, { members, sinceMs }: Group): boolean {
    const { settings, now } = this.#options;
    if (job.kind === "migrate" || job.kind === "close" || job.alone === true) return true;
    return members.length >= settings.groupUnitsMax || members.some(isAlone) || now() - sinceMs > settings.groupAgeMs;
  }

  /** Opens the transaction of a group; where that fails, those who would have shared it are told. */
  #begin(): boolean {
    const failure = this.#turns.begin();
    if (failure === null) {
      this.#group = { sinceMs: this.#options.now(), members: [], hasTransaction: false };
      return true;
    }
    this.#relieve(failure);
    this.#tellAll(refuseAll(this.#take(), failure));
    return false;
  }

  #run(job: Member["job"]): void {
    const { connection } = this.#options;
    this.#queue.shift();
    if (job.kind === "begin") return this.#hold(job);
    const { members, hasTransaction } = this.#group as Group;
    const isBare = this.#careful === 0 && !hasTransaction;
    if (this.#careful > 0) this.#careful--;
    const outcome = isBare ? runUnitBare(connection, job.steps) : runUnit(connection, job.steps);
    if (outcome.ok) return void members.push({ job, answer: [job.id, true, outcome.results] });
    const isLost = isSyncLost(outcome.failure.errcode, false);
    if (isBare && members.length > 0 && !isLost) return this.#startOver(job);
    members.push({ job, answer: [job.id, false, outcome.failure] });
    if (!outcome.undone || isLost) this.#abort(outcome.failure);
  }

  /** A unit without a savepoint was refused: it and those before it, of whom nobody was told anything, run once more in one each. */
  #startOver(job: Of<"unit">): void {
    const units = [...(this.#group as Group).members.map((member) => member.job as Of<"unit">), job];
    this.#group = null;
    this.#careful = carefulUnits;
    if (this.#rollBack()) this.#queue.unshift(units.filter(({ from }) => this.#clients.has(from)));
    else this.#tellAll(refuseAll(units, this.#broken as Failure));
  }

  #hold(job: Of<"begin">): void {
    this.#options.connection.statements.run("SAVEPOINT held", []);
    (this.#group as Group).hasTransaction = true;
    this.#held = { job, timer: setTimeout(() => this.#expire(job), job.timeoutMs) };
    this.#tell(job.from, [[job.id, true, null]]);
  }

  #expire({ id, from, timeoutMs }: Of<"begin">): void {
    const message = `held for more than ${timeoutMs} ms`;
    const failure: Failure = { code: "transaction_timeout", message, errcode: 0, fields: { timeoutMs } };
    this.#held = null;
    this.#tell(from, [], [id, failure]);
    if (!undo(this.#options.connection, "held")) this.#abort(failure);
    this.#wake();
  }

  /** A request of the transaction that is open, or of one that is lost, whose caller has been told why. */
  #serve(job: Of<"read"> | Of<"write"> | Of<"end">): void {
    const isHeld = this.#held?.job.id === job.transaction && this.#held.job.from === job.from;
    if (!isHeld) return this.#tell(job.from, [[job.id, false, asAborted(lostTransaction)]]);
    if (job.kind === "end") return this.#letGo(job);
    const { connection } = this.#options;
    if (job.kind === "write") {
      const outcome = runUnit(connection, job.steps);
      this.#tell(job.from, [outcome.ok ? [job.id, true, outcome.results] : [job.id, false, outcome.failure]]);
      if (!outcome.ok && (!outcome.undone || isSyncLost(outcome.failure.errcode, false))) this.#lose(outcome.failure);
      return;
    }
    try {
      const [text, , params] = job.step;
      this.#tell(job.from, [[job.id, true, connection.statements.all(text, params as readonly Value[])]]);
    } catch (error) {
      const failure = describe(error);
      this.#tell(job.from, [[job.id, false, failure]]);
      if (!connection.db.isTransaction) this.#lose(failure);
    }
  }

  /** Its caller is done. It is answered with the group, for also what it undid may rest on a neighbour's row. */
  #letGo({ id, undo: undone }: Of<"end">): void {
    const { connection } = this.#options;
    const { job, timer } = this.#held as { job: Of<"begin">; timer: NodeJS.Timeout };
    clearTimeout(timer);
    this.#held = null;
    const member: Member = { job, answer: [id, true, null] };
    (this.#group as Group).members.push(member);
    if (undone) {
      if (!undo(connection, "held")) this.#abort(lostTransaction);
      return;
    }
    try {
      connection.statements.run("RELEASE held", []);
    } catch (error) {
      this.#abort(describe(error));
    }
  }

  /** The open transaction is gone with the whole group. */
  #lose(failure: Failure): void {
    const { job, timer } = this.#held as { job: Of<"begin">; timer: NodeJS.Timeout };
    clearTimeout(timer);
    this.#held = null;
    const verdict = (this.#group as Group).members.length > 0 ? asAborted(failure) : failure;
    this.#abort(failure);
    this.#tell(job.from, [], [job.id, this.#broken ?? verdict]);
  }

  #commit(): void {
    const group = this.#group;
    if (group === null) return;
    try {
      this.#options.connection.statements.run("COMMIT", []);
    } catch (error) {
      const last = group.members.at(-1)?.job;
      const failure = describe(error, last?.kind === "unit" ? last.steps.length - 1 : 0);
      if (isSyncLost(failure.errcode, true)) this.#break(failure);
      return this.#abort(failure, !isCommitUndone(failure.errcode));
    }
    this.#group = null;
    this.#counts.commits++;
    for (const { job } of group.members) if (job.kind === "unit") this.#counts.units++;
    this.#tellAll(group.members);
    this.#tight = false;
    this.#note(this.#checkpoints.afterCommit());
    const wasLong = this.#isLogLong();
    this.#counts.logPages = this.#checkpoints.logPages;
    if (wasLong || this.#isLogLong()) this.#tellReaders(group);
  }

  #isLogLong(): boolean {
    return this.#counts.logPages >= this.#options.settings.checkpointPages;
  }

  /** Whoever waits for nothing has to know of a long log as well: it starts anew where all who read leave a gap. */
  #tellReaders({ members }: Group): void {
    const told = new Set(members.map(({ job }) => job.from));
    for (const client of this.#clients) if (!told.has(client)) client.post({ answers: [], counts: { ...this.#counts } });
  }

  /**
   * The transaction of the group failed as a whole. Alone in it, its member gets the verdict; otherwise nobody knows whose
   * fault it was, so each is tried again by itself. After a failed sync nothing is: what of it is on the disk is unknown.
   * `mayReturn`: its frames may be whole in the log, and are written over before anybody is told that it failed.
   */
  #abort(failure: Failure, mayReturn = false): void {
    const { members } = this.#group as Group;
    this.#group = null;
    if (isSyncLost(failure.errcode, false)) this.#break(failure);
    const isGone = this.#rollBack() && (!mayReturn || this.#broken !== null || this.#writeOver());
    this.#relieve(failure);
    const told: Failure = isGone ? failure : { ...failure, code: "database_failed" };
    const verdict = this.#broken ?? (members.length === 1 || !isGone ? told : null);
    if (verdict !== null) return this.#tellAll(members.map((member) => refuse(member, verdict)));
    const units = members.filter(({ job }) => job.kind === "unit" && this.#clients.has(job.from));
    this.#queue.unshift(units.map(({ job }) => ({ ...job, alone: true })));
    const transactions = members.filter(({ job }) => job.kind === "begin");
    this.#tellAll(transactions.map((member) => refuse(member, asAborted(failure))));
  }

  #rollBack(): boolean {
    const { db } = this.#options.connection;
    try {
      if (db.isTransaction) db.exec("ROLLBACK");
      return true;
    } catch (error) {
      this.#break(describe(error));
      return false;
    }
  }

  /** Commits a page as it is: its frame takes the place of the first one that should not be there, and breaks their chain. */
  #writeOver(): boolean {
    const { connection, settings } = this.#options;
    const { db, statements } = connection;
    try {
      const write = () => db.exec(`PRAGMA user_version = ${Number(statements.all("PRAGMA user_version", [])[0]?.[0])}`);
      withBusyTimeout(connection, settings.busyTimeoutMs, write);
      return true;
    } catch (error) {
      const failure = describe(error);
      if (isSyncLost(failure.errcode, true)) this.#break(failure);
      return isIndexFull(failure.errcode);
    }
  }

  #break({ message, errcode }: Failure): void {
    if (this.#broken !== null) return;
    this.#broken = { code: "database_read_only", message, errcode };
    this.#warn({ kind: "sync_failed", message });
  }

  /** On a full disk the log's own space may be what a commit needs. Tried once, until a commit has succeeded again. */
  #relieve({ errcode }: Failure): void {
    if (!isFull(errcode) || this.#broken !== null || this.#tight) return;
    this.#tight = true;
    this.#note(this.#checkpoints.giveSpaceBack());
  }

  #note({ ran, failure, syncLost }: CheckpointOutcome): void {
    if (ran) this.#counts.checkpoints++;
    const isNews = failure !== null && !this.#checkpointFails;
    if (ran || failure !== null) this.#checkpointFails = failure !== null;
    if (failure === null) return;
    if (syncLost) return this.#break(failure);
    if (!isNews) return;
    this.#warn({ kind: "checkpoint_failed", message: failure.message });
  }

  #runByItself(job: Of<"migrate"> | Of<"close">): void {
    const { connection } = this.#options;
    this.#queue.shift();
    if (job.kind === "close") {
      connection.db.close();
      return this.#tell(job.from, [[job.id, true, null]]);
    }
    const failure = migrate(connection, job.statements, this.#turns);
    if (failure !== null && isSyncLost(failure.errcode, true)) this.#break(failure);
    const verdict = failure === null ? null : (this.#broken ?? failure);
    this.#tell(job.from, [verdict === null ? [job.id, true, null] : [job.id, false, verdict]]);
    if (verdict === null) this.#note(this.#checkpoints.afterCommit());
  }

  /** The jobs that would have shared one commit. */
  #take(): Queued[] {
    const taken: Queued[] = [];
    while (taken.length < this.#options.settings.groupUnitsMax && this.#queue.peek()?.kind !== "close") {
      const job = this.#queue.shift();
      if (job === undefined) break;
      taken.push(job);
    }
    return taken;
  }

  #tell(to: Client, answers: readonly Answer[], lost?: Reply["lost"]): void {
    if (answers.length === 0 && lost === undefined) return;
    // Who has left hears nothing any more.
    if (this.#clients.has(to)) to.post({ answers, counts: { ...this.#counts }, ...(lost === undefined ? {} : { lost }) });
  }

  /** One message to each, however many answers it is owed. */
  #tellAll(verdicts: readonly Verdict[]): void {
    const owed = new Map<Client, Answer[]>();
    for (const { job, answer } of verdicts) {
      const answers = owed.get(job.from);
      if (answers === undefined) owed.set(job.from, [answer]);
      else answers.push(answer);
    }
    for (const [client, answers] of owed) this.#tell(client, answers);
  }

  #warn(trouble: NonNullable<Reply["trouble"]>): void {
    for (const client of this.#clients) client.post({ answers: [], trouble, counts: { ...this.#counts } });
  }
}

const lostTransaction: Failure = { code: "database_failed", message: "the transaction is no longer open", errcode: 0 };

function isAlone({ job }: Member): boolean {
  return job.alone === true;
}

function asAborted(failure: Failure): Failure {
  return { ...failure, code: "aborted" };
}

function refuseAll(jobs: readonly Queued[], failure: Failure): Verdict[] {
  return jobs.map((job) => ({ job, answer: [job.id, false, failure] }));
}

/** A transaction's answer is for the request that ended it. */
function refuse({ job, answer }: Member, failure: Failure): Verdict {
  return { job, answer: [answer[0], false, failure] };
}
