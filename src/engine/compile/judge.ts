/** The checks of a write: the row as it is, what it is linked with, and the row as the write leaves it. Each selects its refusal or null. */
import { allOf, type Filter } from "../../schema/filter.ts";
import type { Action, Field, Model } from "../../schema/schema.ts";
import type { Trash } from "../plan/plan.ts";
import { sharedBy } from "../write/fields.ts";
import { adder, rangeConditions } from "./amounts.ts";
import { type Draft, keyCondition, versionIs } from "./draft.ts";
import { type Compiling, compileFilter, inRow, startCompiling } from "./filter.ts";
import { bindTo, columnForm } from "./form.ts";
import { withoutInput } from "./mentions.ts";
import { trashCondition } from "./read.ts";
import { finish, markFor, type Slot } from "./slot.ts";

interface Admission {
  readonly action: Action;
  readonly version: Slot | null;
  readonly trash: Trash;
  readonly sets: readonly Field[];
  readonly adds: readonly Field[];
  readonly param: (field: Field) => Slot;
  /** The fields that will be given: only what can be said before it is known what they become. */
  readonly before?: readonly Field[];
}

/** Judges the row as it is: there and readable, allowed, at the version, and open to these changes. */
export function addAdmission(draft: Draft, admission: Admission): void {
  const { model, target } = draft;
  const { dialect, view } = target;
  const c = startCompiling(dialect, target.schema, false);
  const alias = c.nextAlias();
  const column = (field: Field) => `${alias}.${dialect.quote(field.column)}`;
  const given = (field: Field) => bindTo(field, markFor(c.slots, admission.param(field)), dialect);
  const instead = new Map(admission.sets.map((field) => [field, given(field)]));
  const added = (field: Field) => adder(dialect)(field, alias, markFor(c.slots, admission.param(field)));
  for (const field of admission.adds) instead.set(field, `(${added(field)})`);
  const inner: Compiling = { ...inRow(c, alias), instead };
  const whens = [`when ${column(model.key[0] as Field)} is null then 'not_found'`];
  const own =
    admission.action === "update"
      ? [...admission.sets, ...admission.adds, ...(admission.before ?? [])].flatMap(
          (field) => view.fieldRule(field, "update") ?? [],
        )
      : [];
  const whole = allOf([view.rule(model, admission.action), ...own]);
  const rule = admission.before ? withoutInput(whole) : whole;
  if (rule.op !== "true") whens.push(`when ${dialect.not(compileFilter(rule, inner))} then 'forbidden'`);
  if (admission.version) whens.push(`when not ${versionIs(draft, alias, markFor(c.slots, admission.version))} then 'version'`);
  // A key that is forgotten with the row it led to cannot stay.
  for (const field of admission.trash === "with" ? [] : admission.sets) {
    // What a relation shares with a field that never changes is given again with it, and stays.
    const shared = sharedBy(model, field);
    if (field.writeOnce || shared)
      whens.push(
        `when ${column(field)} is not null and ${dialect.distinct(columnForm(field), column(field), given(field))} then 'write_once:${shared ?? field.partOf ?? field.name}'`,
      );
  }
  for (const field of admission.adds) {
    const ranges = rangeConditions(field, { from: column(field), amount: given(field), sum: added(field) }, dialect);
    if (ranges.length > 0) whens.push(`when ${dialect.not(ranges.join(" and "))} then 'range:${field.name}'`);
  }
  const on = [keyCondition(draft, alias, c.slots)];
  const trash = trashCondition({ model, trash: admission.trash }, alias, dialect);
  if (trash) on.push(trash);
  const read = view.rule(model, "read");
  if (read.op !== "true") on.push(compileFilter(read, inner));
  const text = `select case ${whens.join(" ")} end from (select 1) one left join ${dialect.quote(model.table)} ${alias} on ${on.join(" and ")}`;
  draft.steps.push({ ...finish(text, c.slots), kind: "check" });
}

/** Relations whose whole key is among the fields. */
export function referencesIn(model: Model, fields: readonly Field[]): readonly Field[] {
  return [...model.fields.values()].filter(
    (field) => field.relation && (field.parts ?? [field]).every((part) => fields.includes(part)),
  );
}

/** Every key that is set leads to a row that is there, not in the trash, and readable: what cannot be seen cannot be linked. */
export function addReferenceCheck({ steps, target }: Draft, fields: readonly Field[], param: (field: Field) => Slot): void {
  if (fields.length === 0) return;
  const { dialect, view } = target;
  const c = startCompiling(dialect, target.schema, false);
  const whens = fields.map((field) => {
    const relation = field.relation as NonNullable<Field["relation"]>;
    const model = view.target(relation);
    const alias = c.nextAlias();
    const values = (field.parts ?? [field]).map((part) => bindTo(part, markFor(c.slots, param(part)), dialect));
    const rule = view.rule(model, "read");
    const conditions = [
      ...model.key.map((part, index) => `${alias}.${dialect.quote(part.column)} = ${values[index]}`),
      ...(rule.op === "true" ? [] : [compileFilter(rule, inRow(c, alias))]),
    ];
    const trash = trashCondition({ model, trash: "without" }, alias, dialect);
    if (trash) conditions.push(trash);
    const given = values.map((value) => `${value} is not null`).join(" and ");
    return `when ${given} and not exists (select 1 from ${dialect.quote(model.table)} ${alias} where ${conditions.join(" and ")}) then 'reference:${field.name}'`;
  });
  steps.push({ ...finish(`select case ${whens.join(" ")} end`, c.slots), kind: "check" });
}

/** Judges the row as the write left it. */
export function addRuleCheck(draft: Draft, rule: Filter): void {
  if (rule.op === "true") return;
  const { model, target } = draft;
  const c = startCompiling(target.dialect, target.schema, false);
  const alias = c.nextAlias();
  const text = `select case when ${target.dialect.not(compileFilter(rule, inRow(c, alias)))} then 'forbidden' end from ${target.dialect.quote(model.table)} ${alias} where ${keyCondition(draft, alias, c.slots)}`;
  draft.steps.push({ ...finish(text, c.slots), kind: "check" });
}
