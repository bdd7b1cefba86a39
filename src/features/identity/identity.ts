/** Turns the Authorization header into an actor: checks bearer tokens with `jose`, once each. A bad token is never anonymous. */
import { hash } from "node:crypto";
import type { JWTPayload } from "jose";
import type { Clock } from "../../base/clock.ts";
import { createLru } from "../../base/lru.ts";
import type { Soon } from "../../base/soon.ts";
import { type Actor, anonymous, createActor } from "../../engine/actor.ts";
import { badScheme, badToken } from "./errors.ts";
import { type Key, type KeyOptions, resolveKey } from "./keys.ts";

export interface IdentityOptions {
  /** Keys that tokens may be signed with. */
  readonly keys: readonly KeyOptions[];
  readonly clock: Clock;
  /** What `iss` must be. @default anything */
  readonly issuer?: string | undefined;
  /** What `aud` must be or hold. @default anything */
  readonly audience?: string | undefined;
  /** How far clocks may differ. @default 5 */
  readonly toleranceS?: number | undefined;
  /** Tokens must expire. @default true */
  readonly requireExpiry?: boolean | undefined;
  /** The claim that names the caller. @default "sub" */
  readonly subjectClaim?: string | undefined;
  /** The claim with the roles: a list, or a text with one role or several with spaces between. @default "roles", else "role" */
  readonly rolesClaim?: string | undefined;
  /** Checked tokens that are remembered. @default 10000 */
  readonly tokensMax?: number | undefined;
}

export interface Identity {
  /** The actor of an Authorization header; the same object for the same token. @throws invalid_token, unsupported_credentials */
  authenticate(header: string | undefined): Soon<Actor>;
}

/** A token that was found good. */
interface Checked {
  readonly actor: Actor;
  readonly notBeforeMs: number;
  readonly expiresMs: number;
}

const tokenLengthMax = 8192;
const tokensMaxDefault = 10_000;
const toleranceDefaultS = 5;
const scheme = /^bearer +([\w.~+/-]+=*) *$/i;

export function createIdentity(options: IdentityOptions): Identity {
  const keys = options.keys.map(resolveKey);
  const toleranceMs = (options.toleranceS ?? toleranceDefaultS) * 1000;
  // By hash, so that no list of usable tokens stands in memory.
  const known = createLru<string, Checked>(options.tokensMax ?? tokensMaxDefault);
  // One caller's requests often follow each other, and comparing is cheaper than hashing.
  const last = { header: "", digest: "" };

  async function check(token: string, digest: string): Promise<Actor> {
    const payload = await verify(token, keys, options);
    const checked: Checked = {
      actor: toActor(payload, options),
      notBeforeMs: payload.nbf === undefined ? 0 : payload.nbf * 1000 - toleranceMs,
      expiresMs: payload.exp === undefined ? Number.POSITIVE_INFINITY : payload.exp * 1000 + toleranceMs,
    };
    // Two requests may have brought the same token at once: the first actor stands.
    const earlier = known.get(digest);
    if (earlier) return earlier.actor;
    known.set(digest, checked);
    return checked.actor;
  }

  return Object.freeze({
    authenticate(header: string | undefined) {
      if (header === undefined) return anonymous;
      if (header.length > tokenLengthMax) throw badToken("it is too long");
      if (header !== last.header) {
        last.digest = hash("sha256", header, "base64url");
        last.header = header;
      }
      const { digest } = last;
      const checked = known.get(digest);
      if (checked === undefined) {
        const token = scheme.exec(header)?.[1];
        if (token === undefined) throw badScheme();
        return check(token, digest);
      }
      const nowMs = options.clock();
      if (nowMs < checked.expiresMs && nowMs >= checked.notBeforeMs) return checked.actor;
      known.delete(digest);
      throw badToken("it has expired");
    },
  });
}

async function verify(token: string, keys: readonly Key[], options: IdentityOptions): Promise<JWTPayload> {
  // Not loaded until the first token: it costs as much as the rest of the start.
  const { decodeProtectedHeader, errors, jwtVerify } = await import("jose");
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const fitting = keys.filter((key) => key.algorithm === alg && (kid === undefined || key.id === null || key.id === kid));
    for (const [index, key] of fitting.entries()) {
      try {
        const { payload } = await jwtVerify(token, key.verify, {
          algorithms: [key.algorithm],
          currentDate: new Date(options.clock()),
          clockTolerance: options.toleranceS ?? toleranceDefaultS,
          ...(options.requireExpiry === false ? {} : { requiredClaims: ["exp"] }),
          ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
          ...(options.audience === undefined ? {} : { audience: options.audience }),
        });
        return payload;
      } catch (error) {
        const mayBeOther = error instanceof errors.JWSSignatureVerificationFailed && index < fitting.length - 1;
        if (!mayBeOther) throw error;
      }
    }
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw badToken("it has expired", error);
    if (error instanceof errors.JWTClaimValidationFailed) throw badToken(`its claim ${error.claim} does not fit`, error);
    // Whatever else is wrong with a token is the sender's doing, and no more is told of it.
    throw badToken("it is malformed or no configured key signed it", error);
  }
  throw badToken("it is malformed or no configured key signed it");
}

const registered: ReadonlySet<string> = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]);
const subjectLengthMax = 255;
const rolesMax = 100;

function toActor(payload: JWTPayload, options: IdentityOptions): Actor {
  const subjectClaim = options.subjectClaim ?? "sub";
  const subject = payload[subjectClaim];
  if (typeof subject !== "string" || subject === "" || subject.length > subjectLengthMax)
    throw badToken(`its claim ${subjectClaim} does not fit`);
  const rolesClaim = options.rolesClaim ?? (payload["roles"] === undefined ? "role" : "roles");
  const claims: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(payload)) {
    if (registered.has(name) || name === rolesClaim || name === "__proto__") continue;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") claims[name] = String(value);
  }
  return createActor(subject, Object.freeze(toRoles(payload[rolesClaim], rolesClaim)), Object.freeze(claims));
}

function toRoles(value: unknown, claim: string): string[] {
  if (value === undefined || value === null) return [];
  const roles = typeof value === "string" ? value.split(" ").filter((role) => role !== "") : value;
  if (Array.isArray(roles) && roles.length <= rolesMax && roles.every((role) => typeof role === "string")) return roles;
  throw badToken(`its claim ${claim} does not fit`);
}
