/** Tells a person what a start did to the database's schema, or what it waits for. */
import { driftPhrase } from "../../engine/migrate/apply/apply.ts";
import type { Ensured } from "../../engine/migrate/ensure.ts";
import { phrasesOf } from "../../engine/migrate/plan/plan.ts";
import type { Terminal } from "../terminal.ts";

const titles: Readonly<Record<Ensured["status"], string | null>> = {
  unchanged: null,
  created: "Made the database:",
  migrated: "Migrated the database:",
  asking: "The schema has changed in a way that needs your word:",
};

/** @param own where the product's own tables stand, in words, if there are tables of others, which are left as they are */
export function reportSchema({ status, plan, refusals, command, drift }: Ensured, own: string | null, { note }: Terminal): void {
  const title =
    status === "created" && own !== null ? `Made beside the adopted tables, Holdfast's own in ${own}:` : titles[status];
  if (title !== null) note(title);
  for (const step of plan?.steps ?? []) {
    for (const line of step.does) note(`  ${line}`);
    if (status === "asking") for (const loss of step.loses) note(`    LOST: ${loss}`);
  }
  for (const hint of plan?.hints ?? []) note(`  Hint: ${hint}`);
  for (const refusal of refusals) note(`  REFUSED: ${refusal}`);
  for (const line of drift) note(`  DRIFT: ${line}`);
  if (status !== "asking") return;
  note(refusals.length > 0 ? "Mend what is refused, then apply it:" : "To agree, run:");
  note(`  ${command}`);
}

/** The phrases that say yes to all that is lost. */
export function phrasesToAgree({ plan, drift }: Ensured): readonly string[] {
  return [...(plan === null ? [] : phrasesOf(plan.steps)), ...(drift.length > 0 ? [driftPhrase] : [])];
}
