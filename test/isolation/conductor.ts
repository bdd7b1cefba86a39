/** Plays an anomaly's script on transactions of one app: asks for each step in its turn, and goes on where one has to wait. */
import type { NotesApp } from "../feed/notes.ts";
import { perform } from "../feed/notes.ts";
import { type Anomaly, type Move, type Party, type Rows, type Seen, startRows, type Step } from "./anomalies.ts";

/** What became of a script. */
export interface Outcome {
  readonly happened: boolean;
  /** How the database kept it from happening, in the words of the page. */
  readonly how: "waits" | "runs again" | "waits, runs again" | "sees its snapshot";
}

/**
 * How many transactions the database says are waiting for another; null where only one is open at a time. There several may share
 * a commit, so that the first is told of its end with that of the last: its end is not waited for.
 */
export type CountWaiting = (() => Promise<number>) | null;

interface Turn {
  readonly move: Move;
  readonly come: PromiseWithResolvers<void>;
  readonly over: PromiseWithResolvers<void>;
  state: "ahead" | "asked" | "over";
}

class Undone extends Error {}

/** One transaction of the script. Run anew, it does all of its steps at once. */
class Player {
  readonly turns: readonly Turn[];
  seen: Seen = new Map();
  runs = 0;
  ended: Promise<void> | null = null;
  isEnded = false;

  constructor(moves: readonly Move[]) {
    this.turns = moves.map((move) => ({
      move,
      come: Promise.withResolvers<void>(),
      over: Promise.withResolvers<void>(),
      state: "ahead",
    }));
  }

  play(app: NotesApp): void {
    const settle = () => this.turns.forEach(end);
    this.ended ??= perform(app, async (tx) => {
      const isFirst = this.runs++ === 0;
      if (!isFirst) settle();
      this.seen = new Map();
      for (const turn of this.turns) {
        if (isFirst) await turn.come.promise;
        if (typeof turn.move === "string" && isFirst) end(turn);
        if (turn.move === "undo") throw new Undone();
        if (turn.move === "commit") return;
        await turn.move(tx, this.seen);
        if (isFirst) end(turn);
      }
    })
      .catch((error: unknown) => {
        if (!(error instanceof Undone)) throw error;
      })
      .finally(() => {
        this.isEnded = true;
        settle();
      });
  }

  get isPending(): boolean {
    return this.turns.some(({ state }) => state === "asked");
  }
}

function end(turn: Turn): void {
  turn.state = "over";
  turn.over.resolve();
}

/** Plays the script in transactions. */
export async function play(anomaly: Anomaly, app: NotesApp, countWaiting: CountWaiting): Promise<Outcome> {
  await reset(app);
  const players = createPlayers(anomaly);
  let waited = false;
  for (const [party, turn] of turnsOf(anomaly, players)) {
    const player = players[party];
    const others = Object.values(players).filter((one) => one !== player);
    if (turn.state === "ahead") turn.state = "asked";
    turn.come.resolve();
    player.play(app);
    const over = countWaiting !== null && typeof turn.move === "string" ? player.ended : turn.over.promise;
    const isWaiting = await Promise.race([
      Promise.resolve(over).then(() => false),
      findWaiting(player, others, { turn, countWaiting }),
    ]);
    waited ||= isWaiting;
  }
  for (const { ended } of Object.values(players)) await ended;
  const again = Object.values(players).some(({ runs }) => runs > 1);
  const how = waited ? (again ? "waits, runs again" : "waits") : again ? "runs again" : "sees its snapshot";
  return { happened: anomaly.happened(seenBy(players), await readRows(app)), how };
}

/** The same steps in the same order without transactions: each by itself. */
export async function playBare(anomaly: Anomaly, app: NotesApp): Promise<boolean> {
  await reset(app);
  const seen: Record<Party, Seen> = { T1: new Map(), T2: new Map(), T3: new Map() };
  for (const [party, move] of anomaly.script) if (typeof move === "function") await (move as Step)(app.system, seen[party]);
  return anomaly.happened(seen, await readRows(app));
}

/** Resolves once the step is known to wait for another transaction. */
async function findWaiting(
  player: Player,
  others: readonly Player[],
  { turn, countWaiting }: { readonly turn: Turn; readonly countWaiting: CountWaiting },
): Promise<boolean> {
  const isOver = () => (countWaiting !== null && typeof turn.move === "string" ? player.isEnded : turn.state !== "asked");
  while (!isOver()) {
    const known = others.filter(({ isPending }) => isPending).length;
    if (countWaiting !== null && (await countWaiting()) > known) return true;
    await new Promise((resolve) => setImmediate(resolve));
    const isOtherOpen = others.some(
      ({ ended, runs, turns }) => ended !== null && runs > 0 && turns.some(({ state }) => state !== "over"),
    );
    if (countWaiting === null && player.runs === 0 && isOtherOpen) return true;
  }
  return false;
}

function createPlayers({ script }: Anomaly): Record<Party, Player> {
  const movesOf = (party: Party) => script.filter(([of]) => of === party).map(([, move]) => move);
  return { T1: new Player(movesOf("T1")), T2: new Player(movesOf("T2")), T3: new Player(movesOf("T3")) };
}

function turnsOf({ script }: Anomaly, players: Readonly<Record<Party, Player>>): readonly (readonly [Party, Turn])[] {
  const next = { T1: 0, T2: 0, T3: 0 };
  return script.map(([party]) => [party, players[party].turns[next[party]++] as Turn]);
}

function seenBy({ T1, T2, T3 }: Readonly<Record<Party, Player>>): Record<Party, Seen> {
  return { T1: T1.seen, T2: T2.seen, T3: T3.seen };
}

async function readRows(app: NotesApp): Promise<Rows> {
  const { data } = await app.system.notes.list();
  return new Map(data.map(({ id, count }) => [id, count]));
}

async function reset(app: NotesApp): Promise<void> {
  await app.system.notes.deleteMany({ where: { count: { gte: 0 } }, maxAffected: 10 });
  for (const [id, count] of startRows) await app.system.notes.create({ id, body: "start", count });
}
