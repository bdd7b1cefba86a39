/** `holdfast start`: serves the app until it is told to stop. */
import { Option } from "commander";
import type { App } from "../app/app.ts";
import type { AppOptions } from "../app/options.ts";
import type { Registry } from "../engine/typed.ts";
import { announce, documentOf } from "./say/announce.ts";
import { addProjectFlags, type CommandFile, type ProjectFlags, wholeNumber } from "./command.ts";
import { failCli } from "./errors.ts";
import { phrasesToAgree, reportSchema } from "./say/schema-report.ts";
import { traitsOf } from "./dev/traits.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

interface StartFlags extends ProjectFlags {
  readonly port?: number;
  readonly host?: string;
  readonly mode?: "development" | "production";
  readonly migrate?: boolean;
  readonly tablesInside?: boolean;
  readonly brief?: boolean;
}

/** What a server that `holdfast dev` started tells it. */
export type Told =
  /** It serves; what it is, in lines that can be compared. */
  | { readonly traits: readonly string[] }
  /** It does not serve: the phrases that somebody must agree to, or null where the data stands in the way. */
  | { readonly asking: readonly string[] | null };

const portMax = 65_535;

export const command: CommandFile = {
  define: (command) =>
    void addProjectFlags(command)
      .option("--port <number>", "the port; 0 takes a free one (default: 3000, or HOLDFAST_PORT)", wholeNumber("--port", portMax))
      .option("--host <address>", "the address to listen at (default: 127.0.0.1, in production 0.0.0.0)")
      .option("--mode <mode>", "development, or production: wants HOLDFAST_SECRET, and migrates only with --migrate")
      .option("--migrate", "in production, apply migrations that lose nothing")
      .option("--tables-inside", "with adopted tables: keep the product's own among them, instead of beside")
      .addOption(new Option("--brief", "for holdfast dev: says only where it listens").hideHelp()),
  examples: [
    "holdfast start",
    "holdfast start --port 8080 --database ./films.db",
    "HOLDFAST_SECRET=… holdfast start --mode production --migrate",
  ],
  run,
};

async function run(terminal: Terminal, flags: StartFlags): Promise<number> {
  const [{ createApp }, { optionsOf }, { loadBackend }, { logLines }] = await Promise.all([
    import("../app/app.ts"),
    import("./project/settings.ts"),
    import("./project/load-backend.ts"),
    import("./say/log-lines.ts"),
  ]);
  const { port, host, mode, migrate, tablesInside } = flags;
  const given: AppOptions = {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(mode === undefined ? {} : { mode }),
    ...(migrate === undefined ? {} : { migrate }),
    ...(tablesInside === undefined ? {} : { tablesInside }),
  };
  const options = optionsOf(terminal, flags, given);
  const backend = await loadBackend(flags.backend ?? "backend.ts", terminal.cwd);
  const app = await createApp(backend, { ...options, log: logLines(terminal) });
  return serve({ terminal, app, options, brief: flags.brief ?? false });
}

interface Serving {
  readonly terminal: Terminal;
  readonly app: App<Registry>;
  readonly options: AppOptions;
  readonly brief: boolean;
}

async function serve({ terminal, app, options, brief }: Serving): Promise<number> {
  const stopped = waitForSignal(terminal);
  try {
    reportSchema(app.schema, terminal);
    if (app.schema.status === "asking") {
      terminal.document({ schema: documentOf(app.schema) });
      process.send?.({ asking: app.schema.refusals.length > 0 ? null : phrasesToAgree(app.schema) } satisfies Told);
      return exitCodes.asked;
    }
    const { url } = await app.start().catch((error: NodeJS.ErrnoException & { readonly port?: number }) => {
      throw error.code === "EADDRINUSE" ? failCli("port_taken", { fields: { port: error.port ?? "" }, cause: error }) : error;
    });
    await announce({ terminal, app, options, url, brief });
    process.send?.({ traits: traitsOf(app.engine) } satisfies Told);
    await stopped.signal;
    return exitCodes.done;
  } finally {
    stopped.forget();
    await app.stop();
  }
}

/** Resolves at the first signal to stop; the second one does not wait for what is in flight. */
function waitForSignal({ note }: Terminal): { readonly signal: Promise<void>; readonly forget: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const counted = { signals: 0 };
  const onSignal = (name: NodeJS.Signals) => {
    counted.signals++;
    if (counted.signals > 1) process.exit(exitCodes.failed);
    if (process.send === undefined) note(`${name}: finishing what is in flight; once more stops at once.`);
    resolve();
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, onSignal);
  // `holdfast dev` is gone: nobody could stop this one any more.
  process.once("disconnect", resolve);
  const forget = () => {
    process.off("disconnect", resolve);
    for (const name of names) process.off(name, onSignal);
  };
  return { signal: promise, forget };
}
