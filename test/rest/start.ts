/** Starts the film shop on a free port for a test file, with a token for each set of roles. */
import type { AppOptions } from "../../src/app/options.ts";
import { createFreshApp } from "../fresh.ts";
import { conformanceOf } from "../openapi/document.ts";
import type { Target } from "./scenario.ts";
import { store } from "./store.ts";

export async function startStore(options: Omit<AppOptions, "database"> = {}) {
  const lines: string[] = [];
  const log = (text: string) => void lines.push(...text.trimEnd().split("\n"));
  const app = await createFreshApp(store, { port: 0, log, ...options });
  const { port } = await app.start();
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (roles: readonly string[]) => {
    const key = roles.join();
    const token = tokens.get(key) ?? app.mint({ sub: `user-${key}`, roles });
    tokens.set(key, token);
    return token;
  };
  const target: Target = { port, tokenOf, conformance: conformanceOf(app.engine) };
  return { app, target, lines };
}

export type Started = Awaited<ReturnType<typeof startStore>>;
