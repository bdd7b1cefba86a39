/** Mints tokens for the command line, tests and development. */
import { assert } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { type KeyOptions, resolveKey } from "./keys.ts";

export interface MintOptions {
  /** A secret or a private key. */
  readonly key: KeyOptions;
  readonly clock: Clock;
  /** Who the bearer is. */
  readonly sub: string;
  /** @default none */
  readonly roles?: readonly string[] | undefined;
  /** Further claims. @default none */
  readonly claims?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** How long it is good, in seconds. @default 3600 */
  readonly ttlS?: number | undefined;
  /** The claim `iss`. @default none */
  readonly issuer?: string | undefined;
  /** The claim `aud`. @default none */
  readonly audience?: string | undefined;
}

const ttlDefaultS = 3600;

/** A signed token for `Authorization: Bearer`. */
export async function mintToken(options: MintOptions): Promise<string> {
  const key = resolveKey(options.key);
  assert(key.sign !== null, "minting needs a secret or a private key");
  assert(options.sub !== "", "a token names its bearer");
  const { SignJWT } = await import("jose");
  const nowS = Math.floor(options.clock() / 1000);
  const token = new SignJWT({ ...options.claims, ...(options.roles ? { roles: [...options.roles] } : {}) })
    .setProtectedHeader({ alg: key.algorithm, typ: "JWT", ...(key.id === null ? {} : { kid: key.id }) })
    .setSubject(options.sub)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + (options.ttlS ?? ttlDefaultS));
  if (options.issuer !== undefined) token.setIssuer(options.issuer);
  if (options.audience !== undefined) token.setAudience(options.audience);
  return token.sign(key.sign);
}
