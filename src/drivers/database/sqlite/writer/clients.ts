/** Those whose work the writer does: each is answered in one message, however many answers it is owed. */
import type { Answer, Reply, WriterCounts } from "../messages.ts";

/** A main thread that work comes from, of this process or another. */
export interface Client {
  /** What its numbers of texts stand for. */
  readonly texts: string[];
  readonly post: (reply: Reply) => void;
}

/** What became of a job. */
export interface Verdict {
  readonly job: { readonly from: Client };
  readonly answer: Answer;
}

type Trouble = NonNullable<Reply["trouble"]>;

export interface Clients {
  /** It hears at once how things stand. */
  join(post: Client["post"], trouble: Trouble | null): Client;
  /** Who has left hears nothing any more. False where it had left before. */
  leave(client: Client): boolean;
  has(client: Client): boolean;
  /** Says no more than how things stand. */
  greet(client: Client): void;
  tell(to: Client, answers: readonly Answer[], lost?: Reply["lost"]): void;
  tellAll(verdicts: readonly Verdict[]): void;
  /** Says to all but these how things stand. */
  tellOthers(told: readonly Client[]): void;
  /** Says it to all. */
  warn(trouble: Trouble): void;
}

/** `counts` go with each message as they are at that moment. */
export function createClients(counts: WriterCounts): Clients {
  const joined = new Set<Client>();

  function post(to: Client, reply: Omit<Reply, "counts">): void {
    if (joined.has(to)) to.post({ ...reply, counts: { ...counts } });
  }

  return {
    join(send, trouble) {
      const client: Client = { texts: [], post: send };
      joined.add(client);
      post(client, { answers: [], ...(trouble === null ? {} : { trouble }) });
      return client;
    },
    leave: (client) => joined.delete(client),
    has: (client) => joined.has(client),
    greet: (client) => post(client, { answers: [] }),
    tell: (to, answers, lost) => post(to, { answers, ...(lost === undefined ? {} : { lost }) }),
    tellAll(verdicts) {
      const owed = new Map<Client, Answer[]>();
      for (const { job, answer } of verdicts) {
        const answers = owed.get(job.from);
        if (answers === undefined) owed.set(job.from, [answer]);
        else answers.push(answer);
      }
      for (const [client, answers] of owed) post(client, { answers });
    },
    tellOthers(told) {
      for (const client of new Set(joined).difference(new Set(told))) post(client, { answers: [] });
    },
    warn(trouble) {
      for (const client of joined) post(client, { answers: [], trouble });
    },
  };
}
