/** `holdfast token`: mints a token that the app takes. */
import { addDatabaseFlag, type CommandFile, duration, gather, type ProjectFlags, readPair } from "./command.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

interface TokenFlags extends ProjectFlags {
  readonly sub: string;
  readonly role?: readonly string[];
  readonly claim?: readonly string[];
  readonly ttl: number;
}

export const command: CommandFile = {
  define: (command) =>
    void addDatabaseFlag(command)
      .requiredOption("--sub <id>", "who the bearer is")
      .option("--role <name>", "a role of the bearer; may be given more than once", gather)
      .option("--ttl <duration>", "how long it is good: 3600, 30m, 12h, 7d", duration, 3600)
      .option("--claim <name=value>", "a further claim; may be given more than once", gather),
  examples: [
    "holdfast token --sub alice",
    "holdfast token --sub alice --role staff --role admin --ttl 12h",
    'curl localhost:3000/api/notes -H "Authorization: Bearer $(holdfast token --sub alice)"',
  ],
  run,
};

async function run(terminal: Terminal, flags: TokenFlags): Promise<number> {
  const [{ settingsOf }, { resolveKeys }, { keyFileOf }, { mintToken }] = await Promise.all([
    import("./project/settings.ts"),
    import("../app/secret.ts"),
    import("../app/wire.ts"),
    import("../features/identity/mint.ts"),
  ]);
  const { secret, mode, database, tokens } = settingsOf(terminal, flags);
  const { tokenKey } = resolveKeys({ secret, mode, keyFile: keyFileOf(database) });
  const { sub, role: roles = [], ttl: ttlS } = flags;
  const claims = Object.fromEntries((flags.claim ?? []).map((text) => readPair("--claim", text)));
  const token = await mintToken({
    key: { secret: tokenKey },
    clock: terminal.clock,
    sub,
    roles,
    claims,
    ttlS,
    issuer: tokens.issuer,
    audience: tokens.audience,
  });
  if (!terminal.json) terminal.say(token);
  terminal.document({ token, sub, roles, claims, expiresAt: new Date(terminal.clock() + ttlS * 1000).toISOString() });
  return exitCodes.done;
}
