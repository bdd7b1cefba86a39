/** The options of an app: resolved, checked and frozen once; an unknown one is an error with a suggestion. */
import { assert } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import { createIdMaker } from "../base/ids.ts";
import type { Database } from "../drivers/database.ts";
import type { Ddl } from "../drivers/ddl.ts";
import type { Dialect } from "../drivers/dialect.ts";
import { type LimitsOptions, limitDefaults } from "../engine/limits.ts";
import type { KeyOptions } from "../features/identity/keys.ts";
import { type HttpLimits, httpLimitBounds, type HttpLimitsOptions } from "./http-limits.ts";

/** Where the data is when nobody says. */
export const databaseDefault = "sqlite:./data.db";

/** How an app is set up. The environment sets the same by HOLDFAST_ variables: `port` is HOLDFAST_PORT. */
export interface AppOptions {
  /** Where the data is: `sqlite:` and a path from the folder that the process runs in, `sqlite::memory:`, `postgres://user:password@host/name` or `mysql://…`. @default "sqlite:./data.db" */
  readonly database?: string;
  /** Limits of the database's driver by name, such as `{ readersMax: 16 }`: see SqliteOptions, PostgresOptions and MysqlOptions. @default the driver's */
  readonly databaseLimits?: Readonly<Record<string, number>>;
  /** Where the process listens that writes for all workers; `holdfast start --workers` says it to them. @default this process writes */
  readonly databaseWriter?: string;
  /** URLs of the database's replicas, which answer reads that cannot miss the caller's own writes. @default none */
  readonly replicas?: readonly string[];
  /**
   * Which reads without a `Holdfast-Position` replicas may answer: those of strangers (`token`), or those of signed-in callers too,
   * where all of a caller's requests come to this process (`process`). @default "token"
   */
  readonly replicaReads?: "token" | "process";
  /** `production` wants a secret and migrates only when told. @default "development" */
  readonly mode?: "development" | "production";
  /** 0 takes a free one. @default 3000 */
  readonly port?: number;
  /** The address to listen at. @default "127.0.0.1" in development, "0.0.0.0" in production */
  readonly host?: string;
  /** What the documentation calls the API. @default "API" */
  readonly title?: string;
  /** The API's version, for the documentation. @default "1.0.0" */
  readonly version?: string;
  /** The path that REST is under. @default "/api" */
  readonly mount?: string;
  /** What the keys of cursors and tokens are derived from; 32 characters at least. @default in development a random one, kept in a file next to the database */
  readonly secret?: string;
  /** How tokens are checked. @default only those that this app mints */
  readonly tokens?: TokenOptions;
  /** Origins of browsers that may call, or `*`. @default none */
  readonly corsOrigins?: readonly string[];
  /** Limits of HTTP. @default see HttpLimitsOptions */
  readonly http?: HttpLimitsOptions;
  /** Limits of queries and writes. @default see LimitsOptions */
  readonly limits?: LimitsOptions;
  /** Apply pending migrations that lose nothing at start. @default in development true, in production false */
  readonly migrate?: boolean;
  /**
   * Where the backend has adopted tables: journal, changes and idempotency keys stand among them, instead of in a place of their own
   * beside. Once they do, they stay there. @default false
   */
  readonly tablesInside?: boolean;
  /** What the command repeats that a pending migration names, such as `--backend shop.ts`; `holdfast start` says it. @default nothing */
  readonly migratePlaces?: readonly string[];
  /** Takes the log's lines, several at a time; `false` for silence. @default standard output */
  readonly log?: ((text: string) => void) | false;
  /** Milliseconds since the epoch. @default the system's clock */
  readonly clock?: () => number;
  /** Makes ids, for tests. @default UUIDv7, strictly increasing */
  readonly newId?: () => string;
  /** Stands between the engine and the database, for tests: counts statements or makes them fail. @default nothing does */
  readonly wrapDatabase?: (database: Database, languages: { readonly dialect: Dialect; readonly ddl: Ddl }) => Database;
}

/** How bearer tokens (JWT, EdDSA or HS256) are checked. */
export interface TokenOptions {
  /** Further keys that tokens may be signed with. @default none */
  readonly keys?: readonly KeyOptions[];
  /** What `iss` must be. @default anything */
  readonly issuer?: string;
  /** What `aud` must be or hold. @default anything */
  readonly audience?: string;
  /** How far clocks may differ, in seconds. @default 5 */
  readonly toleranceS?: number;
  /** Tokens must expire. @default true */
  readonly requireExpiry?: boolean;
  /** The claim that names the caller. @default "sub" */
  readonly subjectClaim?: string;
  /** The claim with the roles. @default "roles", or else "role" */
  readonly rolesClaim?: string;
}

export interface Settings extends Readonly<Required<Omit<AppOptions, "secret" | "http" | "clock" | "log" | "databaseWriter">>> {
  readonly databaseWriter: string | null;
  readonly secret: string | null;
  readonly http: HttpLimits;
  readonly clock: () => number;
  readonly log: (text: string) => void;
  readonly silent: boolean;
}

const appNames = [
  "database",
  "databaseLimits",
  "databaseWriter",
  "replicas",
  "replicaReads",
  "mode",
  "port",
  "host",
  "title",
  "version",
  "mount",
  "secret",
  "tokens",
  "corsOrigins",
  "http",
  "limits",
  "migrate",
  "tablesInside",
  "migratePlaces",
  "log",
  "clock",
  "newId",
  "wrapDatabase",
] as const satisfies readonly (keyof AppOptions)[];
const tokenNames = [
  "keys",
  "issuer",
  "audience",
  "toleranceS",
  "rolesClaim",
  "subjectClaim",
  "requireExpiry",
] as const satisfies readonly (keyof TokenOptions)[];
const portMax = 65_535;
const secretLengthMin = 32;
const portDefault = 3000;

/** @throws an assertion that names the option and the mend. */
export function resolveOptions(options: AppOptions): Settings {
  assertKnown(options, appNames, "");
  const {
    mode = "development",
    port = portDefault,
    title = "API",
    version = "1.0.0",
    mount = "/api",
    corsOrigins = [],
    tokens = {},
    http = {},
    limits = {},
    secret,
    replicaReads = "token",
  } = options;
  assertKnown(tokens, tokenNames, "tokens.");
  assertKnown(limits, Object.keys(limitDefaults), "limits.");
  assert(mode === "development" || mode === "production", 'the option mode is "development" or "production"');
  assert(replicaReads === "token" || replicaReads === "process", 'the option replicaReads is "token" or "process"');
  assert(Number.isInteger(port) && port >= 0 && port <= portMax, `the option port is a whole number from 0 to ${portMax}`);
  assert(/^(\/[\w.-]+)+$/.test(mount), 'the option mount is a path such as "/api"');
  assert(
    secret === undefined || secret.length >= secretLengthMin,
    `the option secret has at least ${secretLengthMin} characters`,
  );
  for (const origin of corsOrigins)
    assert(
      origin === "*" || /^https?:\/\/[^/]+$/.test(origin),
      `the option corsOrigins has origins such as "https://app.example", not ${JSON.stringify(origin)}`,
    );
  return Object.freeze({
    database: options.database ?? databaseDefault,
    databaseLimits: Object.freeze({ ...options.databaseLimits }),
    databaseWriter: options.databaseWriter ?? null,
    replicas: Object.freeze([...(options.replicas ?? [])]),
    replicaReads,
    mode,
    port,
    host: options.host ?? (mode === "production" ? "0.0.0.0" : "127.0.0.1"),
    title,
    version,
    mount,
    secret: secret ?? null,
    tokens: Object.freeze({ ...tokens }),
    corsOrigins: Object.freeze([...corsOrigins]),
    http: resolveHttpLimits(http),
    limits: Object.freeze({ ...limits }),
    migrate: options.migrate ?? mode === "development",
    tablesInside: options.tablesInside ?? false,
    migratePlaces: Object.freeze([...(options.migratePlaces ?? [])]),
    log: options.log || ((text) => void process.stdout.write(text)),
    silent: options.log === false,
    clock: options.clock ?? Date.now,
    newId: options.newId ?? createIdMaker(options.clock ?? Date.now),
    wrapDatabase: options.wrapDatabase ?? ((database) => database),
  }) as Settings;
}

function resolveHttpLimits(options: HttpLimitsOptions): HttpLimits {
  assertKnown(options, Object.keys(httpLimitBounds), "http.");
  const limits: Record<string, number> = {};
  for (const [name, [fallback, min, max]] of Object.entries(httpLimitBounds)) {
    const value = options[name as keyof HttpLimits] ?? fallback;
    assert(
      Number.isInteger(value) && value >= min && value <= max,
      `the option http.${name} is a whole number from ${min} to ${max}`,
    );
    limits[name] = value;
  }
  return Object.freeze(limits) as unknown as HttpLimits;
}

function assertKnown(options: object, known: readonly string[], prefix: string): void {
  for (const name of Object.keys(options))
    assert(known.includes(name), `there is no option ${prefix}${name}.${didYouMean(name, known)}`);
}
