/** What the oracle refuses, by the code of the wire. */
import { settle } from "./rules.ts";
import type { Rule, Viewer } from "./world.ts";

export class OracleRefusal extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** @throws OracleRefusal where the rule denies the viewer whatever the row. */
export function allow(rule: Rule, viewer: Viewer): void {
  if (settle(rule, viewer) === false) throw new OracleRefusal(viewer.signedIn ? "forbidden" : "unauthenticated");
}
