/** The one secret, and the keys derived from it. In development it is made at random and kept in a file next to the database. */
import { hkdfSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { assert } from "../base/errors.ts";

export interface Keys {
  /** Signs cursors. */
  readonly cursorKey: Uint8Array;
  /** Signs and checks the tokens that this app mints (HS256). */
  readonly tokenKey: Uint8Array;
}

export interface SecretOptions {
  /** The configured secret, if there is one. */
  readonly secret: string | null;
  /** What it is for. */
  readonly mode: "development" | "production";
  /** Where one that is made is kept; null where the database is gone with the process. */
  readonly keyFile: string | null;
}

const keyBytes = 32;
// For the owner's eyes only.
const fileMode = 0o600;

/** @throws an assertion in production without a secret. */
export function resolveKeys({ secret, mode, keyFile }: SecretOptions): Keys {
  assert(
    secret !== null || mode === "development",
    "production needs a secret: set HOLDFAST_SECRET to 32 random characters or more, the same for all processes (openssl rand -base64 32)",
  );
  const root = secret ?? (keyFile === null ? randomBytes(keyBytes).toString("base64url") : keepSecret(keyFile));
  return Object.freeze({ cursorKey: derive(root, "holdfast cursor"), tokenKey: derive(root, "holdfast token") });
}

function keepSecret(path: string): string {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFileSync(path, randomBytes(keyBytes).toString("base64url"), { mode: fileMode, flag: "wx" });
    } catch (error) {
      // Another process that starts at the same time was first: its secret is the one.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  const secret = readFileSync(path, "utf8").trim();
  assert(secret.length >= keyBytes, `${path} holds no secret; remove it to have a new one made`);
  return secret;
}

/** HKDF (RFC 5869), so that no key tells of another. */
function derive(root: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", root, "", purpose, keyBytes));
}
