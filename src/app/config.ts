/** Reads the environment: `HOLDFAST_PORT` is the option `port`. The only file of the product that does so. */
import { assert } from "../base/errors.ts";
import { didYouMean } from "../base/suggest.ts";
import { limitDefaults } from "../engine/limits.ts";
import { httpLimitBounds } from "./http-limits.ts";
import type { AppOptions, TokenOptions } from "./options.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const prefix = "HOLDFAST_";
const texts = {
  DATABASE_URL: "database",
  HOST: "host",
  MODE: "mode",
  MOUNT: "mount",
  REPLICA_READS: "replicaReads",
  SECRET: "secret",
} as const;
const tokenTexts = {
  TOKEN_ISSUER: "issuer",
  TOKEN_AUDIENCE: "audience",
  TOKEN_SUBJECT_CLAIM: "subjectClaim",
  TOKEN_ROLES_CLAIM: "rolesClaim",
} as const;
const others = [
  "DATABASE_LIMITS",
  "DATABASE_REPLICA_URLS",
  "PORT",
  "CORS_ORIGINS",
  "TOKEN_PUBLIC_KEY",
  "MIGRATE",
  "WORKERS",
  "TABLES_INSIDE",
] as const;
const httpNames = new Map(Object.keys(httpLimitBounds).map((name) => [toVariable(name), name]));
const limitNames = new Map(Object.keys(limitDefaults).map((name) => [toVariable(name), name]));

/** Every variable that is known, without its prefix: for `--help` and the docs. */
export const variables: readonly string[] = [
  ...Object.keys(texts),
  ...Object.keys(tokenTexts),
  ...others,
  ...httpNames.keys(),
  ...limitNames.keys(),
];

/** The options that the environment sets. @throws an assertion for a variable that is unknown or does not fit */
export function readEnvironment(environment: Environment = process.env): AppOptions {
  const given = readGiven(environment);
  const options: Record<string, unknown> = {};
  for (const [variable, name] of Object.entries(texts)) if (given[variable] !== undefined) options[name] = given[variable];
  // The conventions of hosts and of Node, where ours is not said.
  if (options["database"] === undefined && environment["DATABASE_URL"]) options["database"] = environment["DATABASE_URL"];
  if (options["mode"] === undefined && environment["NODE_ENV"] === "production") options["mode"] = "production";
  if (given["DATABASE_LIMITS"] !== undefined) options["databaseLimits"] = readLimits(given["DATABASE_LIMITS"]);
  // Commas do not stand in these URLs: they are written %2C.
  if (given["DATABASE_REPLICA_URLS"] !== undefined)
    options["replicas"] = given["DATABASE_REPLICA_URLS"].split(",").map((url) => url.trim());
  if (given["PORT"] !== undefined) options["port"] = toNumber("PORT", given["PORT"]);
  if (given["MIGRATE"] !== undefined) options["migrate"] = toBoolean("MIGRATE", given["MIGRATE"]);
  if (given["TABLES_INSIDE"] !== undefined) options["tablesInside"] = toBoolean("TABLES_INSIDE", given["TABLES_INSIDE"]);
  if (given["CORS_ORIGINS"] !== undefined)
    options["corsOrigins"] = given["CORS_ORIGINS"].split(",").map((origin) => origin.trim());
  const tokens = readTokens(given);
  if (Object.keys(tokens).length > 0) options["tokens"] = tokens;
  for (const [group, names] of [
    ["http", httpNames],
    ["limits", limitNames],
  ] as const) {
    const numbers: Record<string, number> = {};
    for (const [variable, name] of names) if (given[variable] !== undefined) numbers[name] = toNumber(variable, given[variable]);
    if (Object.keys(numbers).length > 0) options[group] = numbers;
  }
  return options as AppOptions;
}

/** How many workers the environment asks for, as it says it; no app has such an option, for it is one process. */
export function readWorkers(environment: Environment = process.env): string | null {
  return readGiven(environment)["WORKERS"] ?? null;
}

function readGiven(environment: Environment): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || value === undefined || value === "") continue;
    const name = variable.slice(prefix.length);
    const near = didYouMean(
      variable,
      variables.map((known) => prefix + known),
    );
    assert(variables.includes(name), `there is no environment variable ${variable}.${near}`);
    given[name] = value;
  }
  return given;
}

/** `readersMax=16,writersMax=8`; the driver says which there are. */
function readLimits(text: string): Record<string, number> {
  const pairs = text.split(",").map((pair) => /^\s*(\w+)\s*=\s*(\d{1,15})\s*$/.exec(pair));
  const limits: Record<string, number> = {};
  for (const pair of pairs) {
    assert(pair !== null, `${prefix}DATABASE_LIMITS has names and whole numbers: readersMax=16,writersMax=8`);
    limits[pair[1] as string] = Number(pair[2]);
  }
  return limits;
}

function readTokens(given: Readonly<Record<string, string>>): TokenOptions {
  const tokens: Record<string, unknown> = {};
  for (const [variable, name] of Object.entries(tokenTexts)) if (given[variable] !== undefined) tokens[name] = given[variable];
  const publicKey = given["TOKEN_PUBLIC_KEY"];
  // Files of variables hold no line breaks, and PEM wants them.
  if (publicKey !== undefined)
    tokens["keys"] = [
      { publicKey: publicKey.startsWith("{") ? (JSON.parse(publicKey) as object) : publicKey.replaceAll("\\n", "\n") },
    ];
  return tokens as TokenOptions;
}

function toNumber(variable: string, value: string): number {
  assert(/^\d{1,15}$/.test(value), `${prefix}${variable} is a whole number`);
  return Number(value);
}

function toBoolean(variable: string, value: string): boolean {
  assert(value === "true" || value === "false", `${prefix}${variable} is true or false`);
  return value === "true";
}

function toVariable(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
