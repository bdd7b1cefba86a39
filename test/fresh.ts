/** Apps for tests on a database of their own: SQLite's, or what `DATABASE` names (`postgres`, `mariadb`, `mysql`), so that one suite runs on all. */
import type { App } from "../src/app/app.ts";
import { createApp } from "../src/app/app.ts";
import type { AppOptions } from "../src/app/options.ts";
import type { Actions, Backend } from "../src/engine/backend.ts";
import type { Registry } from "../src/engine/typed.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../src/testing/test-app.ts";
import { type FreshDatabase, freshDatabase } from "./servers/databases.ts";
import { isServiceName, serviceUrl } from "./servers/names.ts";

/** The product that the suite runs on. */
export const product = process.env["DATABASE"] || "sqlite";

/** On a server a secret that is made would be kept in the folder that the tests run in. */
export const testSecret = "a secret that is for test apps alone";

/** An empty database, and what removes it. */
export async function openFresh(): Promise<FreshDatabase> {
  if (product === "sqlite") return { url: "sqlite::memory:", drop: async () => {} };
  if (!isServiceName(product)) throw new Error(`DATABASE is sqlite, postgres, mariadb or mysql, not ${product}`);
  return freshDatabase(serviceUrl(product));
}

/** As `createTestApp`; the database goes when the app is closed. */
export async function createFreshTestApp<R extends Registry, A extends Actions>(
  backend: Backend<R, A>,
  options: Omit<TestAppOptions, "database"> = {},
): Promise<TestApp<R, A>> {
  const { url, drop } = await openFresh();
  const app = await createTestApp(backend, { ...options, database: url }).catch(async (error: unknown) => {
    await drop();
    throw error;
  });
  const close = async () => {
    await app.close();
    await drop();
  };
  return { ...app, close, [Symbol.asyncDispose]: close };
}

/** As `createApp`; the database goes when the app is stopped. */
export async function createFreshApp<R extends Registry, A extends Actions>(
  backend: Backend<R, A>,
  options: Omit<AppOptions, "database"> = {},
): Promise<App<R>> {
  const { url, drop } = await openFresh();
  const app = await createApp(backend, { secret: testSecret, ...options, database: url });
  const stop = async () => {
    await app.stop();
    await drop();
  };
  return { ...app, stop };
}
