/** `holdfast start`: serves the app until it is told to stop, in this process or by workers. */
import { availableParallelism } from "node:os";
import { Option } from "commander";
import type { App } from "../app/app.ts";
import type { AppOptions } from "../app/options.ts";
import type { Registry } from "../engine/typed.ts";
import { announce } from "./say/announce.ts";
import { addProjectFlags, type CommandFile, type ProjectFlags, wholeNumber } from "./command.ts";
import { failCli } from "./errors.ts";
import { countWorkers } from "./start/count.ts";
import { waitForSignal } from "./start/signals.ts";
import { isAgreed, tell } from "./start/told.ts";
import { traitsOf } from "./dev/traits.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

interface StartFlags extends ProjectFlags {
  readonly port?: number;
  readonly host?: string;
  readonly mode?: "development" | "production";
  readonly migrate?: boolean;
  readonly tablesInside?: boolean;
  readonly workers?: string;
  readonly brief?: boolean;
  readonly worker?: number;
  readonly writer?: string;
}

const portMax = 65_535;

export const command: CommandFile = {
  define: (command) =>
    void addProjectFlags(command)
      .option("--port <number>", "the port; 0 takes a free one (default: 3000, or HOLDFAST_PORT)", wholeNumber("--port", portMax))
      .option("--host <address>", "the address to listen at (default: 127.0.0.1, in production 0.0.0.0)")
      .addOption(
        new Option("--mode <mode>", "production wants HOLDFAST_SECRET, and migrates only with --migrate").choices([
          "development",
          "production",
        ]),
      )
      .option("--migrate", "in production, apply migrations that lose nothing")
      .option("--tables-inside", "with adopted tables: keep the product's own among them, instead of beside")
      .option("--workers <number>", "processes that serve; auto: one for each core (default: 1, or HOLDFAST_WORKERS)")
      .addOption(new Option("--brief", "for holdfast dev: says only where it listens").hideHelp())
      .addOption(new Option("--worker <number>", "for --workers: which one it is").argParser(Number).hideHelp())
      .addOption(new Option("--writer <address>", "for --workers: who writes for them").hideHelp()),
  examples: [
    "holdfast start",
    "holdfast start --port 8080 --database ./films.db",
    "HOLDFAST_SECRET=… holdfast start --mode production --migrate --workers auto",
  ],
  run,
};

async function run(terminal: Terminal, flags: StartFlags): Promise<number> {
  const [{ createApp }, { readWorkers }, { resolveOptions }, { optionsOf, placesOf }, { loadBackend }, { logLines }] =
    await Promise.all([
      import("../app/app.ts"),
      import("../app/config.ts"),
      import("../app/options.ts"),
      import("./project/settings.ts"),
      import("./project/load-backend.ts"),
      import("./say/log-lines.ts"),
    ]);
  const { port, host, mode, migrate, tablesInside, brief = false, worker: number, writer } = flags;
  const given: AppOptions = {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(mode === undefined ? {} : { mode }),
    ...(migrate === undefined ? {} : { migrate }),
    ...(tablesInside === undefined ? {} : { tablesInside }),
    ...(writer === undefined ? {} : { databaseWriter: writer }),
    migratePlaces: placesOf(flags),
  };
  const options = optionsOf(terminal, flags, given);
  const count = countWorkers(flags.workers ?? readWorkers(terminal.env), availableParallelism());
  const open = async (more: AppOptions) =>
    createApp(await loadBackend(flags.backend ?? "backend.ts", terminal.cwd), { ...options, ...more });
  if (number === undefined && count === 1) {
    return serve({ terminal, app: await open({ log: logLines(terminal) }), options, brief });
  }
  const settings = resolveOptions(options);
  if (settings.replicaReads === "process")
    throw failCli("usage", { fields: { fault: "replicaReads is process: with --workers a caller's requests come to several." } });
  if (number === undefined) {
    const { servePrimary } = await import("./start/primary.ts");
    return servePrimary({ terminal, open, options, settings, count, brief });
  }
  const { serveWorker } = await import("./start/worker.ts");
  return serveWorker({ terminal, open, settings, number, count });
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
    if (!isAgreed(app, terminal)) return exitCodes.asked;
    const { url } = await app.start().catch((error: NodeJS.ErrnoException & { readonly port?: number }) => {
      throw error.code === "EADDRINUSE" ? failCli("port_taken", { fields: { port: error.port ?? "" }, cause: error }) : error;
    });
    await announce({ terminal, app, options, url, brief, workers: 1 });
    tell({ traits: traitsOf(app.engine) });
    await stopped.signal;
    return exitCodes.done;
  } finally {
    stopped.forget();
    await app.stop();
  }
}
