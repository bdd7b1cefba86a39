/** Tokens: what is taken, what is refused, and that each is checked once. */
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { AppError } from "../../base/errors.ts";
import { createSteppedClock } from "../../base/clock.ts";
import { anonymous } from "../../engine/actor.ts";
import { createIdentity, type IdentityOptions } from "./identity.ts";
import { mintToken } from "./mint.ts";

const clock = createSteppedClock();
const key = { secret: "s".repeat(32) };
const pair = generateKeyPairSync("ed25519");
const privateKey = { privateKey: pair.privateKey.export({ format: "jwk" }), id: "k1" };
const publicKey = { publicKey: pair.publicKey.export({ format: "pem", type: "spki" }) as string, id: "k1" };

function identity(options: Partial<IdentityOptions> = {}) {
  return createIdentity({ keys: [key, publicKey], clock, ...options });
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");

/** A token of any claims under any header, signed with the secret. */
function forge(claims: object, header: object = { alg: "HS256" }): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", key.secret).update(signed).digest("base64url")}`;
}

async function assertRefused(header: string, options: Partial<IdentityOptions> = {}, says = /./): Promise<void> {
  await assert.rejects(
    async () => identity(options).authenticate(header),
    (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.status, 401);
      assert.match(error.headers["WWW-Authenticate"] ?? "", /^Bearer error="/);
      assert.match(error.message, says);
      return true;
    },
  );
}

const expS = clock() / 1000 + 60;

describe("good tokens", () => {
  test("no header is anonymous", () => {
    assert.equal(identity().authenticate(undefined), anonymous);
  });

  test("subject, roles and claims become the actor", async () => {
    const token = await mintToken({ key, clock, sub: "ann", roles: ["staff"], claims: { shop: 7, vip: true } });
    assert.deepEqual(await identity().authenticate(`Bearer ${token}`), {
      kind: "user",
      id: "ann",
      roles: ["staff"],
      claims: { shop: "7", vip: "true" },
    });
  });

  test("the same token gives the same actor, at once", async () => {
    const checker = identity();
    const token = `bearer ${await mintToken({ key: privateKey, clock, sub: "ann" })}`;
    const first = await checker.authenticate(token);
    assert.equal(checker.authenticate(token), first);
  });

  test("roles may be a text, or in a claim of another name", async () => {
    const roles = async (claims: object, options = {}) =>
      (await identity(options).authenticate(`Bearer ${forge({ sub: "a", exp: expS, ...claims })}`)).roles;
    assert.deepEqual(await roles({ role: "staff" }), ["staff"]);
    assert.deepEqual(await roles({ roles: "staff  buyer" }), ["staff", "buyer"]);
    assert.deepEqual(await roles({ groups: ["a"], roles: ["b"] }, { rolesClaim: "groups" }), ["a"]);
    assert.deepEqual(await roles({}), []);
  });

  test("expiry may be left out where that is configured", async () => {
    assert.equal((await identity({ requireExpiry: false }).authenticate(`Bearer ${forge({ sub: "a" })}`)).id, "a");
  });
});

describe("bad tokens", () => {
  const cases: readonly (readonly [name: string, header: string, options?: Partial<IdentityOptions>])[] = [
    ["another scheme", "Basic YTpi"],
    ["no token", "Bearer "],
    ["no JWT", "Bearer abc"],
    ["another key", `Bearer ${forge({ sub: "a", exp: expS })}x`],
    ["no algorithm", `Bearer ${encode({ alg: "none" })}.${encode({ sub: "a", exp: expS })}.`],
    ["an algorithm that no key has", `Bearer ${forge({ sub: "a", exp: expS }, { alg: "HS512" })}`],
    ["the public key as a secret", `Bearer ${forge({ sub: "a", exp: expS }, { alg: "EdDSA" })}`],
    ["a key id that is unknown", `Bearer ${forge({ sub: "a", exp: expS }, { alg: "EdDSA", kid: "k2" })}`],
    ["no expiry", `Bearer ${forge({ sub: "a" })}`],
    ["an expiry that is no number", `Bearer ${forge({ sub: "a", exp: "tomorrow" })}`],
    ["expired", `Bearer ${forge({ sub: "a", exp: expS - 600 })}`],
    ["not yet", `Bearer ${forge({ sub: "a", exp: expS, nbf: expS - 10 })}`],
    ["no subject", `Bearer ${forge({ exp: expS })}`],
    ["a subject that is no text", `Bearer ${forge({ sub: 7, exp: expS })}`],
    ["roles that are none", `Bearer ${forge({ sub: "a", exp: expS, roles: [7] })}`],
    ["another issuer", `Bearer ${forge({ sub: "a", exp: expS, iss: "b" })}`, { issuer: "a" }],
    ["another audience", `Bearer ${forge({ sub: "a", exp: expS, aud: ["b"] })}`, { audience: "a" }],
    ["too long", `Bearer ${"a".repeat(9000)}`],
  ];
  for (const [name, header, options] of cases) test(name, () => assertRefused(header, options));

  test("a checked token expires too", async () => {
    const ticking = createSteppedClock();
    const checker = identity({ clock: ticking });
    const token = `Bearer ${await mintToken({ key, clock: ticking, sub: "a", ttlS: 60 })}`;
    await checker.authenticate(token);
    ticking.advance(64_000);
    assert.equal((await checker.authenticate(token)).id, "a");
    ticking.advance(2_000);
    await assert.rejects(async () => checker.authenticate(token), { code: "invalid_token" });
  });

  test("a short secret and a key of another kind are refused at start", () => {
    assert.throws(() => identity({ keys: [{ secret: "short" }] }), /32 bytes/);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "pem", type: "spki" }) as string;
    assert.throws(() => identity({ keys: [{ publicKey: rsa }] }), /Ed25519/);
  });
});
