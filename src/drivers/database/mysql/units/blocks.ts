/** Steps that go to the server in as few round trips as what they hand to each other allows; their answers are judged here, in order. */
import { type Row, type Statement, type Step, UnitRefused } from "../../../database.ts";
import type { Answer, Session } from "../connections.ts";

export interface Asked extends Statement {
  readonly step: Step;
  /** Hears the answer once those before it were heard. @throws what undoes all */
  readonly hear: (answer: Answer) => void;
}

export interface Block {
  /** Puts a statement behind those that wait, and sends them where there are enough. */
  add(asked: Asked): Promise<void>;
  /** Sends what waits. */
  send(): Promise<void>;
}

const stepsMax = 16;
// A packet that is too long ends the connection.
const charactersMax = 500_000;

export function createBlock(session: Session): Block {
  let waiting: Asked[] = [];
  let characters = 0;

  async function send(): Promise<void> {
    const due = waiting;
    waiting = [];
    characters = 0;
    const answers = await session.askAll(due);
    for (const [index, { hear }] of due.entries()) hear(answers[index] as Answer);
  }

  return {
    send,
    async add(asked) {
      const own = lengthOf(asked);
      const fits = canShare(asked) && waiting.length < stepsMax && characters + own <= charactersMax;
      if (!fits) await send();
      waiting.push(asked);
      characters += own;
      if (!canShare(asked)) await send();
    },
  };
}

const writes = /^(?:insert|update|delete)\b(?![\s\S]*\breturning\b)/i;
const reads = /^select\b/i;

/** What answers with rows of its own beside the count would be one answer too many. */
function canShare({ step, text }: Asked): boolean {
  return step.kind === "run" ? writes.test(text) : reads.test(text);
}

function lengthOf({ params }: Statement): number {
  let length = 0;
  for (const param of params) if (typeof param === "string" || param instanceof Uint8Array) length += param.length;
  return length;
}

/** @throws UnitRefused where a check says why, or a count is out of its bounds */
export function judge({ kind, changes }: Step, { rows, count }: Answer, index: number): readonly Row[] {
  if (kind === "rows") return rows;
  if (kind === "check") {
    const reason = rows[0]?.[0] ?? null;
    if (reason !== null) throw new UnitRefused(String(reason as string), index);
  } else if (changes && (count < changes.min || count > changes.max)) throw new UnitRefused(changes.reason, index);
  return [];
}
