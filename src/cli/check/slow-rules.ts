/** Finds read rules that no index can serve: for somebody they read the whole table to find a few rows. */
import type { Facts } from "../../engine/actor.ts";
import { foldFacts } from "../../engine/guard.ts";
import { sayRule } from "../../engine/explain/sentence.ts";
import type { Operator } from "../../schema/cond.ts";
import type { Filter } from "../../schema/filter.ts";
import type { Field, Model, Schema } from "../../schema/schema.ts";
import type { Finding } from "./finding.ts";

const searchable: ReadonlySet<Operator> = new Set(["eq", "in", "gt", "gte", "lt", "lte", "between"]);

/** One finding for each field that wants an index, for whichever caller it wants one. */
export function findSlowRules(model: Model, schema: Schema, kinds: readonly Facts[]): Finding[] {
  const wanted = new Map<Field, Filter>();
  for (const facts of kinds) {
    const rule = foldFacts(model.access.read, facts);
    for (const leaf of unserved(rule, model)) if (!wanted.has(leaf.field)) wanted.set(leaf.field, leaf.filter);
  }
  return [...wanted].map(([field, filter]) => ({
    level: "warning",
    place: `${model.name}.access.read`,
    problem: `"${sayRule(filter, schema.roles)}" decides which rows are seen, and no index leads with ${field.name}.`,
    why: "Every list reads rows that the caller may not see, the more the fewer there are that they may.",
    mend: `Add .index(${JSON.stringify(field.name)}) to ${model.name}.`,
  }));
}

interface Leaf {
  readonly field: Field;
  readonly filter: Filter;
}

/** The comparisons for which an index is missing; none where the rule is served, or no index could help. */
function unserved(rule: Filter, model: Model): readonly Leaf[] {
  if (rule.op === "and") {
    // One indexed part is enough: the others are judged on what it finds.
    const parts = rule.args.map((arg) => unserved(arg, model));
    const isServed = rule.args.some((arg, index) => canBeServed(arg) && parts[index]?.length === 0);
    return isServed ? [] : (parts.find((part) => part.length > 0) ?? []);
  }
  if (rule.op === "or") {
    // Each part needs its own; where one cannot have any, the others would not help.
    return rule.args.every(canBeServed) ? rule.args.flatMap((arg) => unserved(arg, model)) : [];
  }
  if (rule.op !== "compare" || !canBeServed(rule)) return [];
  return isLeading(rule.left.field, model) ? [] : [{ field: rule.left.field, filter: rule }];
}

/** Whether there could be an index for it: a comparison of an own stored field that narrows. */
function canBeServed(rule: Filter): boolean {
  if (rule.op === "and") return rule.args.some(canBeServed);
  if (rule.op === "or") return rule.args.every(canBeServed);
  if (rule.op !== "compare" || !searchable.has(rule.operator)) return false;
  const { field, path, up, of } = rule.left;
  const isNarrow = field.type.storage !== "boolean";
  return (
    isNarrow &&
    field.column !== "" &&
    path.length === 0 &&
    up === 0 &&
    of === "row" &&
    rule.right.every((source) => source.from !== "term")
  );
}

function isLeading(field: Field, model: Model): boolean {
  return (
    model.key[0] === field ||
    model.indexes.some(({ columns, where }) => columns[0]?.column === field.column && (where === null || isLive(where)))
  );
}

// An index over the rows that are not in the trash serves every list.
function isLive(where: Filter): boolean {
  return where.op === "compare" && where.operator === "isNull" && where.left.field.role === "deletedAt";
}
