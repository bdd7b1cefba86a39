/** Says where the app is to be found once it listens, in text or as a document. */
import { styleText } from "node:util";
import type { App } from "../../app/app.ts";
import type { AppOptions } from "../../app/options.ts";
import { showUrl } from "../../app/wire.ts";
import type { Ensured } from "../../engine/migrate/ensure.ts";
import type { Registry } from "../../engine/typed.ts";
import type { Terminal } from "../terminal.ts";

interface Announcing {
  readonly terminal: Terminal;
  readonly app: App<Registry>;
  readonly options: AppOptions;
  readonly url: string;
  /** One line is enough: the rest was said before. */
  readonly brief: boolean;
  /** How many processes serve. */
  readonly workers: number;
}

const tokenTtlS = 86_400;

export async function announce({ terminal, app, options, url, brief, workers }: Announcing): Promise<void> {
  const { mode = "development", mount = "/api" } = options;
  const database = showUrl(options.database ?? "sqlite:./data.db");
  const roles = [...new Set(["admin", ...app.engine.schema.roles])];
  // Only where whoever reads the terminal owns the data.
  const token = mode === "development" ? await app.mint({ sub: "developer", roles, ttlS: tokenTtlS }) : null;
  const api = `${url}${mount}`;
  const docs = `${url}/docs`;
  terminal.document({
    url,
    api,
    docs,
    openapi: `${url}/openapi.json`,
    database,
    mode,
    workers,
    token,
    roles,
    schema: documentOf(app.schema),
  });
  const say = mode === "development" ? terminal.say : terminal.note;
  const model = app.engine.schema.models.keys().next().value;
  if (brief) return say(`Serving ${api}`);
  say("");
  say(`  ${bold("API")}       ${api}`);
  say(`  ${bold("Docs")}      ${docs}`);
  say(`  ${bold("Database")}  ${database}`);
  if (workers > 1) say(`  ${bold("Workers")}   ${workers}`);
  if (token !== null) {
    say(`  ${bold("Token")}     for ${roles.join(", ")}; good for a day, in development only`);
    say(`\nTOKEN=${token}`);
    say(`curl ${api}/${model ?? ""} -H "Authorization: Bearer $TOKEN"`);
  }
  say("");
}

/** A start's schema change for a program. */
export function documentOf({ status, plan, refusals, command, drift }: Ensured): object {
  return { status, steps: plan?.steps.flatMap(({ does }) => does) ?? [], hints: plan?.hints ?? [], refusals, command, drift };
}

function bold(text: string): string {
  return styleText("bold", text);
}
