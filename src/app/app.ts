/** Puts an app together: database, schema, engine, identity and protocols; answers requests, listens and stops. */
import { compileSchema } from "../schema/compile.ts";
import { adoptionOf } from "../schema/schema.ts";
import type { Actor } from "../engine/actor.ts";
import type { Actions, Backend } from "../engine/backend.ts";
import { createEngine } from "../engine/create.ts";
import type { Db } from "../engine/db.ts";
import type { Engine } from "../engine/engine.ts";
import { engineErrors } from "../engine/errors.ts";
import { databaseErrors } from "../drivers/database.ts";
import { type Ensured, ensureSchema } from "../engine/migrate/ensure.ts";
import type { Registry } from "../engine/typed.ts";
import { createIdentity } from "../features/identity/identity.ts";
import { type MintOptions, mintToken } from "../features/identity/mint.ts";
import { identityErrors } from "../features/identity/errors.ts";
import { wireErrors } from "../protocols/errors.ts";
import { createOpenapi } from "../protocols/openapi/openapi.ts";
import { createRest } from "../protocols/rest/rest.ts";
import type { Protocol } from "../protocols/wire.ts";
import { createCors } from "./cors.ts";
import { answerFetch } from "./fetched.ts";
import { createOpenPaths } from "./health.ts";
import { type Listener, listen } from "./listen.ts";
import { createLog, eventLine, type Log } from "./log.ts";
import { urlOf } from "./address.ts";
import { type AppOptions, resolveOptions, type Settings } from "./options.ts";
import { resolveKeys } from "./secret.ts";
import { createServe, type Serve } from "./serve.ts";
import { keyFileOf, type Opened, openDatabase } from "./wire.ts";

/** A backend that runs: answers requests, and lets code call it under an actor's rules or without any. */
export interface App<R extends Registry> {
  /** Answers a Request as the listener would. */
  fetch(request: Request): Promise<Response>;
  /** Listens. */
  start(): Promise<{ readonly port: number; readonly url: string }>;
  /** Takes no more requests, finishes those in flight, and closes the database. */
  stop(): Promise<void>;
  readonly engine: Engine;
  /** The typed API under an actor's rules. */
  as(actor: Actor): Db<R>;
  /** The typed API without rules. */
  readonly system: Db<R>;
  /** What the start did to the database's schema. */
  readonly schema: Ensured;
  /** Where the product's own tables stand, in words, if the backend has tables of others; null where all are its own. */
  readonly own: string | null;
  /** A token that this app takes. */
  mint(options: Pick<MintOptions, "sub" | "roles" | "claims" | "ttlS">): Promise<string>;
}

/** What a protocol is made of. */
export interface MountContext {
  readonly engine: Engine;
  readonly settings: Settings;
}

/** The errors that a request may be answered with, for the documentation. */
const requestErrors = [wireErrors, identityErrors, engineErrors, databaseErrors];

/** The protocols, in the order in which they are asked. */
const mounts: readonly ((context: MountContext) => Protocol)[] = [
  ({ engine, settings }) => createRest({ engine, mount: settings.mount, bodyBytesMax: settings.http.bodyBytesMax }),
  ({ engine, settings }) =>
    createOpenapi(engine, { title: settings.title, version: settings.version, mount: settings.mount, errors: requestErrors }),
];

/**
 * Opens the database, brings its schema up to date as the mode allows, and makes the app. Nothing listens until `start`.
 * @throws backend_invalid, database_failed, migration_pending, and assertions for options that do not fit
 */
export async function createApp<R extends Registry, A extends Actions>(
  backend: Backend<R, A>,
  options: AppOptions = {},
): Promise<App<R>> {
  const settings = resolveOptions(options);
  const schema = compileSchema(backend.spec.models as Parameters<typeof compileSchema>[0]);
  const keys = resolveKeys({ secret: settings.secret, mode: settings.mode, keyFile: keyFileOf(settings.database) });
  const log = settings.silent ? null : createLog(settings.log);
  const onTrouble = (kind: string, message: string) =>
    log?.line(eventLine({ timeMs: settings.clock(), level: "error", event: kind, message }));
  const driver = await openDatabase(settings.database, onTrouble, {
    limits: settings.databaseLimits,
    replicas: settings.replicas,
    writer: settings.databaseWriter,
    ...adoptionOf(schema),
    tablesInside: settings.tablesInside,
  });
  const opened = { ...driver, database: settings.wrapDatabase(driver.database, driver) };
  try {
    const ensured = await ensureSchema(
      { ...opened, clock: settings.clock, schema, places: settings.migratePlaces },
      // Told not to migrate, development is as strict as production.
      { mode: settings.migrate ? settings.mode : "production", migrate: settings.migrate },
    );
    const { newId } = settings;
    const engine = createEngine(backend as unknown as Backend<R>, {
      schema,
      database: opened.database,
      dialect: opened.dialect,
      commits: opened.ddl.catalogue.commits,
      cursorKey: keys.cursorKey,
      clock: settings.clock,
      newId,
      limits: settings.limits,
      replicaReads: settings.replicaReads,
      onListenerError: (error, { model }) =>
        log?.line(
          eventLine({
            timeMs: settings.clock(),
            level: "error",
            event: "listener_failed",
            message: `${model}: ${error instanceof Error ? error.stack : String(error)}`,
          }),
        ),
    });
    return assemble({ settings, opened, engine, ensured, log, newId, tokenKey: keys.tokenKey });
  } catch (error) {
    await opened.database.close();
    throw error;
  }
}

interface Parts<R extends Registry> {
  readonly settings: Settings;
  readonly opened: Opened;
  readonly engine: Engine & { readonly as: (actor: Actor) => Db<R>; readonly system: Db<R> };
  readonly ensured: Ensured;
  readonly log: Log | null;
  readonly newId: () => string;
  readonly tokenKey: Uint8Array;
}

function assemble<R extends Registry>(parts: Parts<R>): App<R> {
  const { settings, opened, engine, log, newId } = parts;
  const { database } = opened;
  const state: { listener: Listener | null; stopping: Promise<void> | null } = { listener: null, stopping: null };
  const serve = createServing(parts, () => state.stopping !== null);

  async function stop(): Promise<void> {
    await state.listener?.stop();
    await database.close();
    log?.flush();
  }

  return Object.freeze({
    fetch: (request: Request) => answerFetch(serve, request, settings.http),
    async start() {
      const { port, host, http: limits } = settings;
      state.listener = await listen(serve, { port, host, limits, newId });
      return { port: state.listener.port, url: urlOf(host, state.listener.port) };
    },
    stop: () => (state.stopping ??= stop()),
    engine,
    as: engine.as,
    system: engine.system,
    schema: parts.ensured,
    own: opened.own ?? null,
    mint: (options: Pick<MintOptions, "sub" | "roles" | "claims" | "ttlS">) =>
      mintToken({ ...options, key: { secret: parts.tokenKey }, clock: settings.clock, ...issuing(settings) }),
  });
}

function createServing<R extends Registry>(
  { settings, opened, engine, log, newId, tokenKey }: Parts<R>,
  stopping: () => boolean,
): Serve {
  const { tokens, clock } = settings;
  return createServe({
    protocols: mounts.map((mount) => mount({ engine, settings })),
    identity: createIdentity({ ...tokens, keys: [{ secret: tokenKey }, ...(tokens.keys ?? [])], clock }),
    cors: createCors(settings.corsOrigins),
    log,
    clock,
    newId,
    open: createOpenPaths(
      { database: () => opened.database.state(), replicas: () => opened.database.replicas?.() ?? null, stopping },
      settings.mount,
    ),
  });
}

function issuing({ tokens }: Settings): Pick<MintOptions, "issuer" | "audience"> {
  return { issuer: tokens.issuer, audience: tokens.audience };
}
