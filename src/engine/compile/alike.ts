/** Which writes of single rows are known not to look at each other, as long as they are of different rows. */
import { looksAround } from "../../schema/filter.ts";
import type { Action, Field, Model } from "../../schema/schema.ts";
import type { View } from "../guard.ts";
import { touches } from "./mentions.ts";

interface Written {
  readonly model: Model;
  readonly target: { readonly view: View };
}

/** A reference is judged by the rule of the row that it leads to, which may look at rows like the one that is written. */
export function leadBack(references: readonly Field[], { model, target: { view } }: Written): boolean {
  return references.some(({ relation }) => {
    const to = view.target(relation as NonNullable<Field["relation"]>);
    return to === model || looksAround(view.rule(to, "read"));
  });
}

/** An update of these fields. What must be unique may pass from row to row, and then it matters which of them comes first. */
export function isAlikeUpdate(given: readonly Field[], references: readonly Field[], written: Written): boolean {
  const { model, target } = written;
  const own = given.flatMap((field) => target.view.fieldRule(field, "update") ?? []);
  return isJudgedAlone("update", written) && !own.some(looksAround) && !leadBack(references, written) && !areUnique(given, model);
}

/** A delete by itself. Rows that lead to rows like them let each other go only in their order. */
export function isAlikeDelete(written: Written): boolean {
  const { name, relations, fields } = written.model;
  const leads = [...relations.values(), ...[...fields.values()].flatMap(({ relation }) => relation ?? [])];
  return isJudgedAlone("delete", written) && leads.every(({ target }) => target !== name);
}

// Of a table of others nobody knows what its triggers and keys look at.
function isJudgedAlone(action: Action, { model, target: { view } }: Written): boolean {
  return !model.adopted && !model.takenOver && !looksAround(view.rule(model, "read")) && !looksAround(view.rule(model, action));
}

function areUnique(given: readonly Field[], { fields, indexes }: Model): boolean {
  const stamped = [...fields.values()].filter(({ role }) => role === "updatedAt" || role === "version");
  const changed = [...given, ...stamped];
  const columns = new Set(changed.map(({ column }) => column));
  const isIn = (field: Field) => (field.parts ?? [field]).some(({ column }) => columns.has(column));
  const isOf = (index: Model["indexes"][number]) =>
    index.columns.some(({ column }) => columns.has(column)) || (index.where !== null && touches(index.where, changed));
  return (
    [...fields.values()].some((field) => field.unique && isIn(field)) || indexes.some((index) => index.unique && isOf(index))
  );
}
