/** What clients know of their writes: what was acknowledged for sure, and what may or may not have happened when the server died. */

/** A row's value, or that it is not there. */
export type State = number | "absent";

export interface Expected {
  /** After the last acknowledged write. */
  sure: State;
  /** After a write that nobody answered. */
  maybe: State | null;
}

export interface Keyed {
  readonly key: string;
  readonly tag: string;
  readonly value: number;
  /** The acknowledged answer. */
  answer: string | null;
}

export interface Ledger {
  /** By id. */
  readonly rows: Map<string, Expected>;
  readonly batches: { readonly ids: readonly string[]; acknowledged: boolean }[];
  readonly keyed: Keyed[];
  /** Acknowledged writes of all kinds. */
  acknowledged: number;
}

export function createLedger(): Ledger {
  return { rows: new Map(), batches: [], keyed: [], acknowledged: 0 };
}

export interface Target {
  readonly port: number;
  /** Becomes true when the server has been killed. */
  readonly isOver: () => boolean;
  readonly random: () => number;
  readonly newId: () => string;
}

const batchSize = 5;
const okStatuses = new Set([200, 201, 204]);

/** What a server answers that has lost its database: nothing more than no answer. */
const lostCodes = /"code":"(write_outcome_unknown|database_unreachable)"/;

/** A request; null where no answer came, or none that says what became of it. @throws where the answer is a refusal: none of these writes may be refused */
export async function send(
  port: number,
  path: string,
  init: { method: string; body?: unknown; key?: string },
): Promise<string | null> {
  const headers: Record<string, string> = init.body === undefined ? {} : { "content-type": "application/json" };
  if (init.key !== undefined) headers["idempotency-key"] = `"${init.key}"`;
  const body = init.body === undefined ? null : JSON.stringify(init.body);
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: init.method, headers, body });
    const text = await response.text();
    if (response.status === 503 && lostCodes.test(text)) return null;
    if (!okStatuses.has(response.status)) throw new Refused(`${init.method} ${path}: ${response.status} ${text}`);
    return text;
  } catch (error) {
    if (error instanceof Refused) throw error;
    return null;
  }
}

class Refused extends Error {
  override readonly name = "Refused";
}

/** One client: one write after the other, on rows of its own, until the server is gone. */
export async function work(ledger: Ledger, target: Target): Promise<void> {
  const own: string[] = [];
  while (!target.isOver()) {
    const dice = target.random();
    const done =
      dice < 0.3
        ? await create(ledger, target, own)
        : dice < 0.6 && own.length > 0
          ? await update(ledger, target, own)
          : dice < 0.7 && own.length > 0
            ? await remove(ledger, target, own)
            : dice < 0.85
              ? await createBatch(ledger, target)
              : await createKeyed(ledger, target);
    if (!done) return;
    ledger.acknowledged++;
  }
}

async function create(ledger: Ledger, { port, newId }: Target, own: string[]): Promise<boolean> {
  const id = newId();
  const row: Expected = { sure: "absent", maybe: 1 };
  ledger.rows.set(id, row);
  if ((await send(port, "/api/entries", { method: "POST", body: { id, tag: `row ${id}`, value: 1 } })) === null) return false;
  settle(row);
  own.push(id);
  return true;
}

async function update(ledger: Ledger, { port, random }: Target, own: readonly string[]): Promise<boolean> {
  const id = own[Math.floor(random() * own.length)] as string;
  const row = ledger.rows.get(id) as Expected;
  row.maybe = Number(row.sure) + 1;
  if ((await send(port, `/api/entries/${id}`, { method: "PATCH", body: { value: row.maybe } })) === null) return false;
  settle(row);
  return true;
}

async function remove(ledger: Ledger, { port }: Target, own: string[]): Promise<boolean> {
  const id = own.pop() as string;
  const row = ledger.rows.get(id) as Expected;
  row.maybe = "absent";
  if ((await send(port, `/api/entries/${id}`, { method: "DELETE" })) === null) return false;
  settle(row);
  return true;
}

async function createBatch(ledger: Ledger, { port, newId }: Target): Promise<boolean> {
  const ids = Array.from({ length: batchSize }, newId);
  const batch = { ids, acknowledged: false };
  ledger.batches.push(batch);
  const ops = ids.map((id) => ({ create: "entries", data: { id, tag: `batch ${ids[0]}`, value: 1 } }));
  if ((await send(port, "/api/batch", { method: "POST", body: { atomic: true, ops } })) === null) return false;
  batch.acknowledged = true;
  return true;
}

async function createKeyed(ledger: Ledger, { port, newId }: Target): Promise<boolean> {
  const key = newId();
  const keyed: Keyed = { key, tag: `key ${key}`, value: 7, answer: null };
  ledger.keyed.push(keyed);
  keyed.answer = await sendKeyed(port, keyed);
  return keyed.answer !== null;
}

/** Sends a keyed create, for the first time or again. */
export function sendKeyed(port: number, { key, tag, value }: Keyed): Promise<string | null> {
  return send(port, "/api/entries", { method: "POST", body: { tag, value }, key });
}

function settle(row: Expected): void {
  row.sure = row.maybe as State;
  row.maybe = null;
}
