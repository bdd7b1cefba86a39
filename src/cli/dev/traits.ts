/** What a backend is, in lines that can be compared: so that `holdfast dev` can tell what a change has changed. */
import type { Engine } from "../../engine/engine.ts";
import { sayRule } from "../../engine/explain/sentence.ts";

/** A line for each model, rule and action. Columns are not among them: the migration tells of those. */
export function traitsOf({ schema, operations }: Pick<Engine, "schema" | "operations">): readonly string[] {
  const lines: string[] = [];
  for (const { name, access } of schema.models.values()) {
    for (const action of ["read", "create", "update", "delete"] as const)
      lines.push(`${name}.${action}: ${sayRule(access[action], schema.roles)}`);
    for (const [field, rules] of access.fields) {
      for (const [action, rule] of Object.entries(rules))
        if (rule) lines.push(`${name}.${field} ${action}: ${sayRule(rule, schema.roles)}`);
    }
  }
  for (const operation of operations.values()) {
    if (operation.of === "action") lines.push(`action ${operation.name}: ${sayRule(operation.access, schema.roles)}`);
  }
  return lines;
}

/** What is new, gone or different, as lines. */
export function compareTraits(before: readonly string[], after: readonly string[]): readonly string[] {
  const [old, now] = [toMap(before), toMap(after)];
  const gone = [...old].filter(([name]) => !now.has(name)).map(([name]) => `- ${name}`);
  const changed = [...now].flatMap(([name, rule]) => {
    if (!old.has(name)) return [`+ ${name}: ${rule}`];
    return old.get(name) === rule ? [] : [`~ ${name}: ${old.get(name)} → ${rule}`];
  });
  return [...gone, ...changed];
}

function toMap(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(": ");
      return [line.slice(0, at), line.slice(at + 2)];
    }),
  );
}
