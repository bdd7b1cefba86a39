/** What a rule speaks of: the row as a write leaves it, or fields that the write changes. */
import { allOf, always, type Filter } from "../../schema/filter.ts";
import type { Field } from "../../schema/schema.ts";

/** Whether a rule speaks of the row as the write leaves it. */
export function mentionsInput(rule: Filter): boolean {
  switch (rule.op) {
    case "and":
    case "or":
      return rule.args.some(mentionsInput);
    case "not":
      return mentionsInput(rule.arg);
    case "compare":
      return rule.left.of === "input" || rule.right.some((source) => source.from === "term" && source.term.of === "input");
    case "one":
    case "some":
    case "every":
    case "none":
      return mentionsInput(rule.where);
    default:
      return false;
  }
}

/** Whether changing these fields can change what the rule says of the row. */
export function touches(rule: Filter, fields: readonly Field[]): boolean {
  const changed = (field: Field) => (field.parts ?? [field]).some((part) => fields.includes(part)) || field.computed !== null;
  switch (rule.op) {
    case "true":
    case "false":
      return false;
    case "and":
    case "or":
      return rule.args.some((arg) => touches(arg, fields));
    case "not":
      return touches(rule.arg, fields);
    case "compare":
      return changed(rule.left.field) || rule.right.some((source) => source.from === "term" && changed(source.term.field));
    default:
      // What lies behind a relation may hang on any field.
      return true;
  }
}

/** The part of a rule that does not speak of the row as the write leaves it. */
export function withoutInput(rule: Filter): Filter {
  if (rule.op === "and") return allOf(rule.args.map(withoutInput));
  return mentionsInput(rule) ? always : rule;
}
