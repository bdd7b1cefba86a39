/** The options that drivers of database servers share: their defaults, their limits, and what a wrong one is answered with. */
import { assert } from "../../base/errors.ts";
import { didYouMean } from "../../base/suggest.ts";

/** What went wrong beside the callers' own requests, for the log. */
export interface ServerTrouble {
  /**
   * - `database_lost`: no connection can be opened; the next request tries again.
   * - `database_read_only`: the server only follows another one, so nothing can be written.
   * - `database_found`: after either, it can be worked with again.
   * - `replica_lost`, `replica_behind`, `replica_found`: the same of one that answers reads; the primary answers for it.
   * - `replica_foreign`: it is no standby of the database's cluster, so it is not used.
   * - `database_restored`: the change records were written on another server, and those of this one come after them from now on.
   * - `database_awaited`: the start waits for a server that is not there yet.
   */
  readonly kind:
    | "database_lost"
    | "database_read_only"
    | "database_found"
    | "database_awaited"
    | "database_restored"
    | "replica_lost"
    | "replica_behind"
    | "replica_foreign"
    | "replica_found";
  readonly message: string;
}

/** What every such driver is told. */
export interface ServerOptions {
  /** Where the server is. */
  readonly url: string;
  /** Hears of trouble that no request is answered with. @default none */
  readonly onTrouble?: (trouble: ServerTrouble) => void;
}

/** By name of an option: what holds without it, and its bounds. */
export type NumberLimits<N extends string> = { readonly [K in N]: readonly [fallback: number, min: number, max: number] };

export interface SettingsSpec<N extends string> {
  /** The function whose options they are. */
  readonly of: string;
  readonly protocols: RegExp;
  /** How a URL looks. */
  readonly example: string;
  readonly limits: NumberLimits<N>;
}

export type Settings<N extends string> = { readonly [K in N]: number } & Required<ServerOptions>;

/** Whether a URL has all its parts in their form. A character that ends a part, such as the / in a password, must be escaped. */
export function isReadable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password, pathname } = new URL(url);
  // Alone, a % begins nothing.
  return [username, password, pathname].every((part) => !/%(?![0-9a-f]{2})/i.test(part));
}

/** Checks the options, fills in the defaults and freezes the result. A wrong one is a programmer's error. */
export function resolveSettings<N extends string>(
  options: ServerOptions & { readonly [K in N]?: number },
  { of, protocols, example, limits }: SettingsSpec<N>,
): Settings<N> {
  const known = ["url", "onTrouble", ...Object.keys(limits)];
  for (const key of Object.keys(options)) assert(known.includes(key), `${of} knows no option "${key}".${didYouMean(key, known)}`);
  // The URL itself is not repeated: it may hold a password.
  assert(
    protocols.test(options.url) && isReadable(options.url),
    `the database URL cannot be read: write ${example}, and in user and password %40 for @, %3A for :, %2F for /, %23 for #, %25 for %`,
  );
  const numbers: Record<string, number> = {};
  for (const [name, [fallback, min, max]] of Object.entries(limits) as [N, NumberLimits<N>[N]][]) {
    const value: number = options[name] ?? fallback;
    const fits = Number.isInteger(value) && value >= min && value <= max;
    assert(fits, `the option ${name} of ${of} must be a whole number from ${min} to ${max}`);
    numbers[name] = value;
  }
  return Object.freeze({ url: options.url, onTrouble: options.onTrouble ?? (() => {}), ...numbers }) as Settings<N>;
}
