/** Tells of a difference all that is needed to repeat and to understand it. */
import type { Difference } from "./cases.ts";
import type { Loaded } from "./load.ts";

/** What differed: a case of reads, or a write. */
type Found = Pick<Difference, "viewer" | "expected" | "actual"> & { readonly asked: unknown };

export function report(found: Found & { readonly loaded: Loaded; readonly seed: number }): string {
  const { world } = found.loaded;
  const rows = [...world.rows].flatMap(([name, all]) => all.map((row) => `${name} ${JSON.stringify(row)}`));
  return [
    `world ${found.seed}: the engine and the oracle differ`,
    "models:",
    ...[...world.models.values()].map((model) => JSON.stringify(model)),
    "rows:",
    ...rows,
    `viewer: ${JSON.stringify(found.viewer)}`,
    `asked: ${JSON.stringify(found.asked)}`,
    `differs at ${firstDifference(found.expected, found.actual, "")}`,
    `oracle: ${JSON.stringify(found.expected)}`,
    `engine: ${JSON.stringify(found.actual)}`,
    `again: ORACLE_SEED=${found.seed} npm run test:fast -- oracle`,
  ].join("\n");
}

function firstDifference(left: unknown, right: unknown, at: string): string {
  if (typeof left === "object" && typeof right === "object" && left !== null && right !== null) {
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const [mine, theirs] = [(left as Record<string, unknown>)[name], (right as Record<string, unknown>)[name]];
      if (JSON.stringify(mine) !== JSON.stringify(theirs)) return firstDifference(mine, theirs, `${at}/${name}`);
    }
  }
  return `${at}: oracle ${JSON.stringify(left)}, engine ${JSON.stringify(right)}`;
}
