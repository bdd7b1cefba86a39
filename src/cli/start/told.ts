/** What a server tells of its schema: to a person, and to a `holdfast dev` that has started it. */
import type { App } from "../../app/app.ts";
import type { Registry } from "../../engine/typed.ts";
import { documentOf } from "../say/announce.ts";
import { phrasesToAgree, reportSchema } from "../say/schema-report.ts";
import type { Terminal } from "../terminal.ts";

/** What a server that `holdfast dev` started tells it. */
export type Told =
  /** It serves; what it is, in lines that can be compared. */
  | { readonly traits: readonly string[] }
  /** It does not serve: the phrases that somebody must agree to, or null where the data stands in the way. */
  | { readonly asking: readonly string[] | null };

export function tell(told: Told): void {
  process.send?.(told);
}

/** Says what the start did to the schema. False where somebody must agree first. */
export function isAgreed({ schema, own }: App<Registry>, terminal: Terminal): boolean {
  reportSchema(schema, own, terminal);
  if (schema.status !== "asking") return true;
  terminal.document({ schema: documentOf(schema) });
  tell({ asking: schema.refusals.length > 0 ? null : phrasesToAgree(schema) });
  return false;
}
