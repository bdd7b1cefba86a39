/** Recognises join tables: two foreign keys that are the key together. Each side then reaches the other through them. */
import type { AdoptedKey } from "./adopted.ts";
import type { Arranging } from "./arrange.ts";
import { nameBy, takeName } from "./naming.ts";

/** Adds a relation through each join table to both of the models that it links. */
export function linkJoins(models: readonly Arranging[]): void {
  for (const join of models) {
    const sides = sidesOf(join);
    if (sides === null) continue;
    const [first, second] = sides;
    link({ models, join, from: first, to: second });
    link({ models, join, from: second, to: first });
  }
}

interface Linking {
  readonly models: readonly Arranging[];
  readonly join: Arranging;
  readonly from: AdoptedKey;
  readonly to: AdoptedKey;
}

function link({ models, join, from, to }: Linking): void {
  const here = models.find(({ name }) => name === from.target) as Arranging;
  const by = nameBy(to.target, to.name);
  const name = takeName(here.used, from.target === to.target ? [by] : [to.target, by]);
  here.members.push({ kind: "manyToMany", name, target: to.target, through: join.name, from: from.name, to: to.name });
}

/** The two relations that are a table's key, and all that it is made for. */
function sidesOf({ key, members }: Arranging): readonly [AdoptedKey, AdoptedKey] | null {
  if (key?.length !== 2) return null;
  const sides = key.map((column) =>
    members.find((member) => member.kind === "belongsTo" && member.columns.length === 1 && member.columns[0]?.name === column),
  );
  const [first, second] = sides;
  return first?.kind === "belongsTo" && second?.kind === "belongsTo" ? [first, second] : null;
}
