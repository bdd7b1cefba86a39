/** Finds relations that lead back to their own model: TypeScript can infer their types only where each is declared by a getter. */
import type { AdoptedMember, AdoptedModel } from "./adopted.ts";

/** `model.relation` of every relation from which its model can be reached again. */
export function findCircles(models: readonly AdoptedModel[]): ReadonlySet<string> {
  const leads = new Map(models.map(({ name, members }) => [name, new Set(members.flatMap(targetsOf))]));
  const reached = new Map(models.map(({ name }) => [name, reachFrom(name, leads)]));
  return new Set(
    models.flatMap(({ name, members }) =>
      members
        .filter((member) => targetsOf(member).some((target) => target === name || reached.get(target)?.has(name)))
        .map((member) => `${name}.${member.name}`),
    ),
  );
}

function targetsOf(member: AdoptedMember): readonly string[] {
  if (member.kind === "field") return [];
  return member.kind === "belongsTo" ? [member.target] : [member.target, member.through];
}

function reachFrom(start: string, leads: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [start];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const target of leads.get(next) ?? []) {
      if (seen.has(target)) continue;
      seen.add(target);
      waiting.push(target);
    }
  }
  return seen;
}
