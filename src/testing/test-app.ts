/** A throw-away app: the real engine and protocols on a private database, with a clock that stands still and ids that count up. */
import { type App, createApp } from "../app/app.ts";
import type { AppOptions } from "../app/options.ts";
import { assert } from "../base/errors.ts";
import { createSteppedClock, type SteppedClock } from "../base/clock.ts";
import { createCountingIds } from "../base/ids.ts";
import { type Actor, anonymous, createActor } from "../engine/actor.ts";
import type { Actions, Backend } from "../engine/backend.ts";
import type { Db } from "../engine/db.ts";
import type { Engine } from "../engine/engine.ts";
import { type ChangeRecord, createFeed, type ReadFeed } from "../engine/feed.ts";
import { limitDefaults } from "../engine/limits.ts";
import type { Registry } from "../engine/typed.ts";
import { createChangeReader, type ReadChanges } from "./changes.ts";
import { type Reply, type TestRequest, toReply, toRequest } from "./requests.ts";
import { type Counted, countStatements } from "./statements.ts";

/** Who acts: somebody with an id and roles, or null for a stranger. */
export type TestActor =
  | Actor
  | { readonly id: string; readonly roles?: readonly string[]; readonly claims?: Readonly<Record<string, string>> }
  | null;

/** The app's options, without those that a test must not share with others. */
export interface TestAppOptions
  extends Omit<AppOptions, "database" | "port" | "host" | "clock" | "newId" | "wrapDatabase" | "migrate"> {
  /** The URL of an empty database that nobody else uses; what is made in it stays. @default a temporary one on SQLite */
  readonly database?: string;
  /** Where its clock stands, in milliseconds since the epoch. @default 2026-01-01T00:00:00.000Z */
  readonly startMs?: number;
}

/** An app for a test. It listens nowhere; `await using` closes it. */
export interface TestApp<R extends Registry, A extends Actions> extends AsyncDisposable {
  /** The typed API under somebody's rules. */
  as(actor: TestActor): Db<R>;
  /** The typed API without rules: for what a test needs to be there. */
  readonly system: Db<R>;
  /** Runs an action for somebody. */
  call<N extends keyof A & string>(actor: TestActor, action: N, input: A[N]["input"]): Promise<A[N]["output"]>;
  /** Answers a Request as the listener would. A path is a GET of it. */
  fetch(request: Request | string, init?: RequestInit): Promise<Response>;
  /** Sends a request with a token for somebody, through the real protocol, and reads the answer. */
  request(request: (TestRequest & { readonly as?: TestActor }) | string): Promise<Reply>;
  /** Changes that were committed since it was last asked. */
  changes(): Promise<readonly ChangeRecord[]>;
  /** SQL statements that ran since it was last asked. */
  statements(): number;
  /** Stands still until `clock.advance(ms)`. */
  readonly clock: SteppedClock;
  readonly engine: Engine;
  close(): Promise<void>;
}

/** Test apps keep none, and their tokens are good for each other. */
const testSecret = "a secret that is for test apps alone";
const tokenTtlS = 3_153_600_000;

/** Makes an app on a temporary database that goes with it. @throws backend_invalid, and assertions for options that do not fit */
export async function createTestApp<R extends Registry, A extends Actions>(
  backend: Backend<R, A>,
  options: TestAppOptions = {},
): Promise<TestApp<R, A>> {
  const { startMs, database = "sqlite::memory:", ...rest } = options;
  const clock = createSteppedClock(startMs);
  const opened: { counted: Counted | null; feed: ReadFeed | null } = { counted: null, feed: null };
  const app = await createApp(backend, {
    log: false,
    secret: testSecret,
    ...rest,
    database,
    clock,
    newId: createCountingIds(),
    wrapDatabase(database, { dialect, ddl: { catalogue } }) {
      opened.counted = countStatements(database);
      // Reads of the test itself do not count.
      opened.feed = createFeed({ database, dialect, commits: catalogue.commits, limits: limitDefaults });
      return opened.counted.database;
    },
  });
  const { counted, feed } = opened;
  assert(counted && feed, "the app opens its database through wrapDatabase");
  counted.take();
  return assemble<R, A>(app, { take: counted.take, changes: createChangeReader(feed) }, clock);
}

interface Watched {
  readonly take: () => number;
  readonly changes: ReadChanges;
}

function assemble<R extends Registry, A extends Actions>(
  app: App<R>,
  { take, changes }: Watched,
  clock: SteppedClock,
): TestApp<R, A> {
  const tokens = new Map<string, Promise<string>>();
  const toUrl = (path: string) => new URL(path, "http://localhost");

  async function tokenOf(given: TestActor): Promise<string | null> {
    const actor = toActor(given);
    if (actor.kind === "anonymous" || actor.id === null) return null;
    const { id: sub, roles, claims } = actor;
    const key = JSON.stringify([sub, roles, claims]);
    const token =
      tokens.get(key) ?? app.mint({ sub, roles, claims: claims as Readonly<Record<string, string>>, ttlS: tokenTtlS });
    tokens.set(key, token);
    return token;
  }

  return Object.freeze<TestApp<R, A>>({
    as: (actor) => app.as(toActor(actor)),
    system: app.system,
    async call(actor, action, input) {
      const { result } = await app.engine.execute({ op: "action", action, input }, { actor: toActor(actor), requestId: null });
      return JSON.parse(result.kind === "action" ? result.json : "null") as never;
    },
    fetch: (request, init) =>
      app.fetch(typeof request === "string" ? new Request(toUrl(request), init) : new Request(request, init)),
    async request(given) {
      const { as: actor = null, ...request } = typeof given === "string" ? { path: given } : given;
      return toReply(await app.fetch(toRequest(request, await tokenOf(actor))));
    },
    changes,
    statements: take,
    clock,
    engine: app.engine,
    close: () => app.stop(),
    [Symbol.asyncDispose]: () => app.stop(),
  });
}

function toActor(actor: TestActor): Actor {
  if (actor === null) return anonymous;
  return "kind" in actor ? actor : createActor(actor.id, actor.roles ?? [], actor.claims ?? {});
}
