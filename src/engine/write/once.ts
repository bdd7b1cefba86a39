/** Idempotency keys: a keyed request runs once, and its answer is stored in the very transaction of its writes. */
import { createHash } from "node:crypto";
import { UnitRefused, type Value } from "../../drivers/database.ts";
import type { Answer, KeyedCall, StoredAnswer } from "../engine.ts";
import { fail } from "../errors.ts";
import type { Session } from "../run/session.ts";

/** The table; migrations create it. */
export const idempotencyTable = "_idempotency";

/** Characters of a scope, and of a key: a longer one is kept as its hash. */
export const idempotencyTextMax = 255;

/** How long an answer is kept, in milliseconds: a day. */
export const idempotencyKeepMs = 86_400_000;
// Expired keys that one keyed request clears away.
const clearMax = 50;

interface Texts {
  readonly find: string;
  readonly expire: string;
  readonly replace: string;
  readonly claim: string;
  readonly settle: string;
}

const texts = new Map<string, Texts>();

/** The statements over the table, which is given as it is quoted. Spelt so that every database understands them: `key` is a word of some. */
function textsOf(table: string): Texts {
  const known = texts.get(table);
  if (known) return known;
  const made: Texts = {
    find: `select "fingerprint", "status", "headers", "body" from ${table} where "scope" = ? and "key" = ? and "created_at" > ?`,
    expire: `delete from ${table} where "created_at" <= (select max("created_at") from (select "created_at" from ${table} where "created_at" <= ? order by "created_at" limit ${clearMax}) e)`,
    replace: `delete from ${table} where "scope" = ? and "key" = ? and "created_at" <= ?`,
    claim: `insert into ${table} ("scope", "key", "fingerprint", "status", "headers", "body", "created_at") values (?, ?, ?, 0, '', '', ?)`,
    settle: `update ${table} set "status" = ?, "headers" = ?, "body" = ? where "scope" = ? and "key" = ?`,
  };
  texts.set(table, made);
  return made;
}

export interface Once {
  readonly keyed: KeyedCall;
  readonly session: Session;
  /** The table as its database quotes it. */
  readonly table: string;
  readonly nowMs: number;
  /** Keys whose request this process is running. */
  readonly running: Set<string>;
}

export interface OnceAnswer {
  readonly stored: StoredAnswer;
  readonly replayed: boolean;
  readonly answer: Answer | null;
}

/** Runs `work` once for the key. @throws idempotency_in_progress, idempotency_mismatch */
export async function runOnce(once: Once, work: (session: Session) => Promise<Answer>): Promise<OnceAnswer> {
  const { keyed, session, running } = once;
  const name = `${keyed.scope}\n${keyed.key}`;
  if (running.has(name)) throw fail("idempotency_in_progress", { headers: { "retry-after": "1" } });
  running.add(name);
  try {
    return (await replay(once, session)) ?? (await session.transaction((inner) => claimAndRun(once, inner, work)));
  } catch (error) {
    // Another process held the key and has committed since.
    if (!(error instanceof UnitRefused && error.reason === "unique" && error.table === idempotencyTable)) throw error;
    const stored = await replay(once, session);
    if (!stored) throw fail("idempotency_in_progress");
    return stored;
  } finally {
    running.delete(name);
  }
}

/** What a request is kept under. */
function idOf({ scope, key }: KeyedCall): readonly Value[] {
  return [scope, key].map((text) => (text.length > idempotencyTextMax ? createHash("sha256").update(text).digest("hex") : text));
}

async function replay({ keyed, table, nowMs }: Once, session: Session): Promise<OnceAnswer | null> {
  const { find } = textsOf(table);
  const [row] = await session.read({ text: find, params: [...idOf(keyed), nowMs - idempotencyKeepMs] });
  if (!row) return null;
  const [fingerprint, status, headers, body] = row;
  if (fingerprint !== keyed.fingerprint) throw fail("idempotency_mismatch");
  return {
    stored: { status: Number(status), headers: JSON.parse(headers as string) as Record<string, string>, body: body as string },
    replayed: true,
    answer: null,
  };
}

async function claimAndRun(
  { keyed, table, nowMs }: Once,
  session: Session,
  work: (session: Session) => Promise<Answer>,
): Promise<OnceAnswer> {
  const id: readonly Value[] = idOf(keyed);
  const cutoff = nowMs - idempotencyKeepMs;
  const { expire, replace, claim, settle } = textsOf(table);
  await session.write([
    { text: expire, kind: "run", params: [cutoff] },
    { text: replace, kind: "run", params: [...id, cutoff] },
    { text: claim, kind: "run", params: [...id, keyed.fingerprint, nowMs] },
  ]);
  const answer = await work(session);
  const stored = keyed.render(answer);
  await session.write([
    { text: settle, kind: "run", params: [stored.status, JSON.stringify(stored.headers), stored.body, ...id] },
  ]);
  return { stored, replayed: false, answer };
}
