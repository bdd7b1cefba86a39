/** Who calls, and the facts about them that rules ask for. */
import type { Schema } from "../schema/schema.ts";

/** `anonymous` is an actor too; `system` is the product itself and code that says so (`db.system`). */
export interface Actor {
  readonly kind: "anonymous" | "user" | "system";
  /** The subject of the token; null for anonymous and system. */
  readonly id: string | null;
  readonly roles: readonly string[];
  /** Further claims of the token, as text. */
  readonly claims: Readonly<Record<string, string | null>>;
}

/** Who sends no credentials. */
export const anonymous: Actor = Object.freeze({ kind: "anonymous", id: null, roles: [], claims: {} });
/** The product itself, and code that says so: no rule holds it. */
export const system: Actor = Object.freeze({ kind: "system", id: null, roles: [], claims: {} });

/** Makes a signed-in actor. */
export function createActor(
  id: string,
  roles: readonly string[] = [],
  claims: Readonly<Record<string, string | null>> = {},
): Actor {
  return Object.freeze({ kind: "user", id, roles, claims });
}

/** What is true of an actor: one bit for being signed in, one for each role that some rule asks for. */
export interface Facts {
  /** Equal for two actors exactly where their facts are; part of a plan's key. */
  readonly key: string;
  readonly system: boolean;
  /** Whether the fact of this number holds: 0 is signedIn, n the role n - 1 of the schema. */
  readonly holds: readonly boolean[];
}

/** A reader of facts that remembers them by actor: actors of one token are one object. */
export function createFacts(schema: Schema): (actor: Actor) => Facts {
  const known = new WeakMap<Actor, Facts>();
  return (actor) => {
    const found = known.get(actor);
    if (found) return found;
    const holds = [actor.kind === "user", ...schema.roles.map((role) => actor.kind === "user" && actor.roles.includes(role))];
    const isSystem = actor.kind === "system";
    const facts = { key: isSystem ? "S" : holds.map(Number).join(""), system: isSystem, holds };
    known.set(actor, facts);
    return facts;
  };
}
