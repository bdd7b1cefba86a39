/** Compiles the writes of one row into units: judge, write, judge again, record the change, read back. */
import type { Dialect } from "../../drivers/dialect.ts";
import { allOf, type Filter, looksAround } from "../../schema/filter.ts";
import type { Action, Field, Model } from "../../schema/schema.ts";
import { guard } from "../guard.ts";
import type { Trash } from "../plan/plan.ts";
import { planGet } from "../plan/read.ts";
import { changeSql, imageSql } from "../write/change.ts";
import { storedFields } from "../write/fields.ts";
import { isAlikeDelete, isAlikeUpdate, leadBack } from "./alike.ts";
import { adder, rangeConditions } from "./amounts.ts";
import { asIs, type Draft, keyCondition, nowIn, type ReadBack, versionIs, type WriteTarget } from "./draft.ts";
import { compileFilter, inRow, startCompiling } from "./filter.ts";
import { bindText, bindTo } from "./form.ts";
import { selfReferences } from "./itself.ts";
import { addAdmission, addReferenceCheck, addRuleCheck, referencesIn } from "./judge.ts";
import { mentionsInput, touches } from "./mentions.ts";
import { compileOutput, versionColumn } from "./read.ts";
import { finish, markFor, type Slot } from "./slot.ts";
import type { StepTemplate, UnitTemplate } from "./unit.ts";

/**
 * A create. Parameters: every stored field, in the model's order, then actor and request.
 * `ruled` are the given fields that have a rule of their own; `left` those that the database gives.
 */
export function compileCreate(
  model: Model,
  options: { ruled: readonly Field[]; left: readonly Field[]; readBack: ReadBack },
  target: WriteTarget,
): UnitTemplate {
  const fields = storedFields(model);
  const isSerial = model.key.some((field) => field.params.serial);
  const param = (field: Field): Slot => ({ from: "param", index: fields.indexOf(field), convert: asIs });
  const steps: StepTemplate[] = [];
  const references = referencesIn(model, fields);
  const inserted = Math.min(references.length, 1);
  const serial = isSerial ? inserted + (target.dialect.lastNumber === null ? 0 : 1) : null;
  const key = model.key.map(
    (field): Slot => (field.params.serial ? { from: "step", step: serial as number, column: 0 } : param(field)),
  );
  const draft: Draft = { model, target, steps, key };
  addReferenceCheck(draft, references, param);
  steps.push(...insertSteps({ model, left: options.left }, param, target.dialect));
  const own = options.ruled.flatMap((field) => target.view.fieldRule(field, "create") ?? []);
  const rule = allOf([target.view.rule(model, "create"), ...own]);
  addRuleCheck(draft, rule);
  addChange(draft, { kind: "insert", before: null, originParam: fields.length });
  const { back, looks } = readBackStep(draft, options.readBack);
  // A number that is asked for by a statement of its own is the last one's.
  const isNumbered = serial === null || target.dialect.lastNumber === null;
  const alike = isNumbered && !looks && !looksAround(rule) && !leadBack(references, draft);
  return { steps, back, serial, before: null, alike };
}

interface Inserted {
  readonly model: Model;
  readonly left: readonly Field[];
}

function insertSteps({ model, left }: Inserted, param: (field: Field) => Slot, dialect: Dialect): readonly StepTemplate[] {
  const fields = storedFields(model).filter((field) => !field.params.serial && !left.includes(field));
  const slots = { all: [] as Slot[] };
  const columns = fields.map((field) => dialect.quote(field.column)).join(", ");
  const values = fields.map((field) => bindTo(field, markFor(slots, param(field)), dialect)).join(", ");
  const serial = model.key.find((field) => field.params.serial);
  const insert = `insert into ${dialect.quote(model.table)} (${columns}) values (${values})`;
  const { lastNumber } = dialect;
  if (serial && lastNumber === null)
    return [{ ...finish(`${insert} returning ${dialect.quote(serial.column)}`, slots), kind: "rows" }];
  const step: StepTemplate = { ...finish(insert, slots), kind: "run" };
  return serial && lastNumber !== null ? [step, { ...finish(lastNumber, { all: [] }), kind: "rows" }] : [step];
}

export interface UpdateShape {
  readonly sets: readonly Field[];
  readonly adds: readonly Field[];
  readonly ifVersion: boolean;
  readonly readBack: ReadBack;
  /** `only` for a restore, `with` for rows that change along with another. */
  readonly trash: Trash;
}

/** An update. Parameters: the key's parts, sets, adds, the version if asked for, then actor and request. */
export function compileUpdate(model: Model, shape: UpdateShape, target: WriteTarget): UnitTemplate {
  const steps: StepTemplate[] = [];
  const key = model.key.map((_, index): Slot => ({ from: "param", index, convert: asIs }));
  const draft: Draft = { model, target, steps, key };
  const given = [...shape.sets, ...shape.adds];
  const param = (field: Field): Slot => ({ from: "param", index: key.length + given.indexOf(field), convert: asIs });
  const versionParam = key.length + given.length;
  const originParam = versionParam + (shape.ifVersion ? 1 : 0);
  const version: Slot | null = shape.ifVersion ? { from: "param", index: versionParam, convert: asIs } : null;
  const references = referencesIn(model, shape.sets);
  addReferenceCheck(draft, references, param);
  const action: Action = shape.trash === "only" ? "delete" : "update";
  addAdmission(draft, { action, version, trash: shape.trash, sets: shape.sets, adds: shape.adds, param });
  const before = addImage(draft);
  steps.push(updateStep(draft, shape, { param, version }));
  const rule = target.view.rule(model, action);
  if (!mentionsInput(rule) && touches(rule, given)) addRuleCheck(draft, rule);
  addChange(draft, { kind: "update", before, originParam });
  const { back, looks } = readBackStep(draft, shape.readBack);
  const alike = !looks && isAlikeUpdate(given, references, draft);
  return { steps, back, serial: null, before, alike };
}

/**
 * What of an update is judged before its hooks run: whether the row is there and readable, allowed as it is, and at the version.
 * What a rule says of the row as the write leaves it is judged with the write. Parameters: the key's parts, then the version.
 */
export function compileJudge(model: Model, shape: Omit<UpdateShape, "readBack">, target: WriteTarget): UnitTemplate {
  const steps: StepTemplate[] = [];
  const key = model.key.map((_, index): Slot => ({ from: "param", index, convert: asIs }));
  const version: Slot | null = shape.ifVersion ? { from: "param", index: key.length, convert: asIs } : null;
  const none = { sets: [], adds: [], param: () => ({ from: "now" }) as Slot };
  const given = [...shape.sets, ...shape.adds];
  addAdmission({ model, target, steps, key }, { action: "update", version, trash: shape.trash, ...none, before: given });
  return { steps, back: null, serial: null, before: null, alike: false };
}

function updateStep(draft: Draft, shape: UpdateShape, at: { param: (field: Field) => Slot; version: Slot | null }): StepTemplate {
  const { model, target } = draft;
  const { dialect } = target;
  const { quote } = dialect;
  const slots = { all: [] as Slot[] };
  const given = (field: Field) => bindTo(field, markFor(slots, at.param(field)), dialect);
  const added = adder(dialect);
  const assign = [
    ...shape.sets.map((field) => `${quote(field.column)} = ${given(field)}`),
    ...shape.adds.map((field) => `${quote(field.column)} = ${added(field, null, markFor(slots, at.param(field)))}`),
    ...stamps(model, slots, dialect),
  ];
  const conditions = [
    keyCondition(draft, null, slots),
    ...shape.adds.flatMap((field) => {
      const sum = added(field, null, markFor(slots, at.param(field)));
      return rangeConditions(field, { from: quote(field.column), amount: given(field), sum }, dialect);
    }),
  ];
  if (at.version) conditions.push(versionIs(draft, null, markFor(slots, at.version)));
  // A hook may leave nothing to set where there is no version either.
  if (assign.length === 0) assign.push(`${quote((model.key[0] as Field).column)} = ${quote((model.key[0] as Field).column)}`);
  const text = `update ${quote(model.table)} set ${assign.join(", ")} where ${conditions.join(" and ")}`;
  return { ...finish(text, slots), kind: "run", changes: { min: 1, max: 1, reason: "write_conflict" } };
}

/** What every change of a row sets. */
function stamps(model: Model, slots: { all: Slot[] }, dialect: Dialect): readonly string[] {
  const updatedAt = [...model.fields.values()].find(({ role }) => role === "updatedAt");
  const version = model.version ? dialect.quote(model.version.column) : null;
  return [
    ...(version === null ? [] : [`${version} = ${version} + 1`]),
    ...(updatedAt ? [`${dialect.quote(updatedAt.column)} = ${nowIn(updatedAt, slots, dialect)}`] : []),
  ];
}

export interface DeleteShape {
  readonly ifVersion: boolean;
  /** The row goes for good, instead of into the trash. */
  readonly hard: boolean;
  /** Where the row may be: `with` for rows that go along with another. */
  readonly trash: Trash;
}

/** A delete. Parameters: the key's parts, the version if asked for, then actor and request. */
export function compileDelete(model: Model, options: DeleteShape, target: WriteTarget): UnitTemplate {
  const { quote } = target.dialect;
  const steps: StepTemplate[] = [];
  const key = model.key.map((_, index): Slot => ({ from: "param", index, convert: asIs }));
  const draft: Draft = { model, target, steps, key };
  const version: Slot | null = options.ifVersion ? { from: "param", index: key.length, convert: asIs } : null;
  const none = { sets: [], adds: [], param: () => ({ from: "now" }) as Slot };
  addAdmission(draft, { action: "delete", version, trash: options.trash, ...none });
  const before = addImage(draft);
  const slots = { all: [] as Slot[] };
  const guarded = [keyCondition(draft, null, slots), ...(version ? [versionIs(draft, null, markFor(slots, version))] : [])].join(
    " and ",
  );
  const changes = { min: 1, max: 1, reason: "write_conflict" };
  const originParam = key.length + (version ? 1 : 0);
  if (model.softDelete && !options.hard) {
    const deletedAt = model.fields.get("deletedAt") as Field;
    const set = [
      `${quote(deletedAt.column)} = ${nowIn(deletedAt, slots, target.dialect)}`,
      ...stamps(model, slots, target.dialect),
    ].join(", ");
    steps.push({ ...finish(`update ${quote(model.table)} set ${set} where ${guarded}`, slots), kind: "run", changes });
    addChange(draft, { kind: "delete", before, originParam });
  } else {
    // Recorded first: the record is made from the row.
    addChange(draft, { kind: "delete", before, originParam, gone: true });
    for (const { set, holds } of selfReferences(model, target.dialect)) {
      const own = { all: [] as Slot[] };
      const where = `${keyCondition(draft, null, own)} and ${holds}`;
      steps.push({ ...finish(`update ${quote(model.table)} set ${set} where ${where}`, own), kind: "run" });
    }
    steps.push({ ...finish(`delete from ${quote(model.table)} where ${guarded}`, slots), kind: "run", changes });
  }
  return { steps, back: null, serial: null, before, alike: isAlikeDelete(draft) };
}

/** Reads the row as it was, for the change record, and its version. */
function addImage(draft: Draft): number {
  const { model, target, steps } = draft;
  const slots = { all: [] as Slot[] };
  const alias = "t0";
  const text = `select ${imageSql(model, alias, target.dialect)}, ${versionColumn(model, alias, target.dialect)} from ${target.dialect.quote(model.table)} ${alias} where ${keyCondition(draft, alias, slots)}`;
  return steps.push({ ...finish(text, slots), kind: "rows" }) - 1;
}

interface Recorded {
  readonly kind: "insert" | "update" | "delete";
  /** The step that read the row as it was. */
  readonly before: number | null;
  readonly originParam: number;
  /** The row is about to go. */
  readonly gone?: boolean;
}

function addChange(draft: Draft, { kind, before, originParam, gone = false }: Recorded): void {
  const slots = { all: [] as Slot[] };
  const text = (slot: Slot) => bindText(markFor(slots, slot), draft.target.dialect);
  const origin = [0, 1].map((index) => text({ from: "param", index: originParam + index, convert: asIs }));
  const sql = changeSql(
    draft.model,
    {
      kind,
      gone,
      actor: origin[0] as string,
      requestId: origin[1] as string,
      now: text({ from: "now" }),
      before: before === null ? "null" : text({ from: "step", step: before, column: 0 }),
      where: keyCondition(draft, "t0", slots),
    },
    draft.target.dialect,
  );
  draft.steps.push({ ...finish(sql, slots), kind: "run", changes: { min: 1, max: 1, reason: "write_conflict" } });
}

interface Back {
  readonly back: StepTemplate | null;
  /** It looks at other rows than the one that was written. */
  readonly looks: boolean;
}

function readBackStep(draft: Draft, readBack: ReadBack): Back {
  const { model, target } = draft;
  if (!readBack || target.view.rule(model, "read").op === "false") return { back: null, looks: false };
  const planning = { view: target.view, model, limits: target.limits, params: { next: 0 } };
  const plan = guard(planGet(readBack.select, "without", planning), target.view, target.actor);
  const c = startCompiling(target.dialect, target.schema, false);
  const alias = c.nextAlias();
  const inner = inRow(c, alias);
  const rule = plan.rows.rule as Filter;
  const conditions = [keyCondition(draft, alias, c.slots), ...(rule.op === "true" ? [] : [compileFilter(rule, inner)])];
  const { object, joins } = compileOutput(plan.rows.output, inner);
  const text = `select ${object} from ${target.dialect.quote(model.table)} ${alias}${joins} where ${conditions.join(" and ")}`;
  const { fields, related } = plan.rows.output;
  const looks =
    related.length > 0 || looksAround(rule) || fields.some(({ term }) => term.mask !== null && looksAround(term.mask));
  return { back: { ...finish(text, c.slots), kind: "rows" }, looks };
}
