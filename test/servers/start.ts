/** Starts the services that tests ask for, each where it is installed and nobody has set its address. */
import { readFileSync } from "node:fs";
import { root } from "../../scripts/run.ts";
import { canInstall, installPackage } from "./debian.ts";
import { type ServiceName, serviceNames, services } from "./names.ts";
import type { PostgresVersion } from "./postgres.ts";
import type { Server } from "./server.ts";

/** What became of a service: it runs, or why it does not. */
export type Outcome =
  | { readonly name: ServiceName; readonly server: Server; readonly why?: never }
  | { readonly name: ServiceName; readonly server?: never; readonly why: string };

/** Starts a service, or returns null where it is not installed and cannot be. Its libraries are loaded when it is wanted. */
const starters: Readonly<Record<ServiceName, () => Promise<Server | null>>> = {
  postgres: () => startVersion("18"),
  "postgres-15": () => startVersion("15"),
  async mariadb() {
    const { hasMariadb, startMariadb } = await import("./mariadb.ts");
    if (!hasMariadb() && canInstall()) await installPackage("mariadb-server");
    return hasMariadb() ? startMariadb() : null;
  },
  async mysql() {
    const { fetchMysql, startMysql } = await import("./mysql.ts");
    return (await fetchMysql()) ? startMysql() : null;
  },
};

async function startVersion(version: PostgresVersion): Promise<Server | null> {
  const { hasPostgres, startPostgres } = await import("./postgres.ts");
  return hasPostgres(version) ? startPostgres({ version }) : null;
}

/** Starts these services at the same time. One that does not start says why and holds up no other. */
export function startServices(names: readonly ServiceName[]): Promise<Outcome[]> {
  return Promise.all(names.map(startService));
}

async function startService(name: ServiceName): Promise<Outcome> {
  try {
    const server = await starters[name]();
    return server === null ? { name, why: `not installed: ${services[name].package}` } : { name, server };
  } catch (error) {
    return { name, why: error instanceof Error ? error.message : String(error) };
  }
}

export async function stopServices(outcomes: readonly Outcome[]): Promise<void> {
  await Promise.all(outcomes.flatMap(({ server }) => (server === undefined ? [] : [server.stop()])));
}

/**
 * The services that these test files name in a call of `needsService`, and the one that `DATABASE` runs the suite on; those
 * whose address is set are somebody else's.
 */
export function findWanted(files: readonly string[], environment: NodeJS.ProcessEnv): ServiceName[] {
  const texts = files.map((file) => readFileSync(root + file, "utf8"));
  return serviceNames
    .filter((name) => (environment[services[name].variable] ?? "") === "")
    .filter((name) => environment["DATABASE"] === name || texts.some((text) => text.includes(`needsService("${name}")`)));
}

/** The variables that hand addresses to the tests. */
export function toVariables(outcomes: readonly Outcome[]): Record<string, string> {
  return Object.fromEntries(
    outcomes.flatMap(({ name, server }) => (server === undefined ? [] : [[services[name].variable, server.url]])),
  );
}
