/** The keys that tokens are checked and minted with; each is pinned to one algorithm, whatever a token's header says. */
import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { assert } from "../../base/errors.ts";

/** A key as it is configured. */
export type KeyOptions =
  /** HS256, for minting and checking; 32 bytes at least. */
  | { readonly secret: Uint8Array | string; readonly id?: string }
  /** EdDSA, for checking: PEM or JWK. */
  | { readonly publicKey: string | JsonWebKey; readonly id?: string }
  /** EdDSA, for minting and checking: PEM or JWK. */
  | { readonly privateKey: string | JsonWebKey; readonly id?: string };

export interface Key {
  readonly algorithm: "HS256" | "EdDSA";
  /** A token with a `kid` is checked with the key of this id only. */
  readonly id: string | null;
  readonly verify: KeyObject;
  /** Null for a public key. */
  readonly sign: KeyObject | null;
}

// RFC 7518, section 3.2: a key as long as the hash at least.
const secretBytesMin = 32;

/** @throws an assertion for a key of the wrong kind or too short. */
export function resolveKey(options: KeyOptions): Key {
  const id = options.id ?? null;
  if ("secret" in options) {
    const bytes = typeof options.secret === "string" ? Buffer.from(options.secret, "utf8") : options.secret;
    assert(bytes.length >= secretBytesMin, `a token secret has at least ${secretBytesMin} bytes`);
    const key = createSecretKey(bytes);
    return Object.freeze({ algorithm: "HS256", id, verify: key, sign: key });
  }
  if ("publicKey" in options) {
    const verify = assertEd25519(createPublicKey(toInput(options.publicKey)));
    return Object.freeze({ algorithm: "EdDSA", id, verify, sign: null });
  }
  const sign = assertEd25519(createPrivateKey(toInput(options.privateKey)));
  return Object.freeze({ algorithm: "EdDSA", id, verify: createPublicKey(sign), sign });
}

function toInput(key: string | JsonWebKey): string | { key: JsonWebKey; format: "jwk" } {
  return typeof key === "string" ? key : { key, format: "jwk" };
}

function assertEd25519(key: KeyObject): KeyObject {
  assert(key.asymmetricKeyType === "ed25519", "a token key pair is Ed25519 (EdDSA)");
  return key;
}
