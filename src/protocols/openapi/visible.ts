/** What of a schema the document names: what some caller may meet. Hidden fields, and what nobody may do, are not there. */
import type { Filter } from "../../schema/filter.ts";
import type { Access, Action, Field, Model, Relation, Schema } from "../../schema/schema.ts";

/** Whether some caller may do that with rows of the model. */
export function isOpen(model: Model, action: Action): boolean {
  return model.access[action].op !== "false";
}

/** A relation that some caller may follow, with its target. */
export interface Followed {
  readonly relation: Relation;
  readonly target: Model;
}

/** Fields that some caller may read, in declared order. */
export function readableFields(model: Model): readonly Field[] {
  return [...model.fields.values()].filter((field) => isReadable(model, field));
}

function isReadable({ access }: Model, field: Field): boolean {
  return field.partOf === null && !field.hidden && access.fields.get(field.name)?.read?.op !== "false";
}

/** Relations that some caller may follow: every key on the way can be read, and the rows that it leads to. */
export function followedRelations(model: Model, schema: Schema): readonly Followed[] {
  return [...model.relations.values()].flatMap((relation) => {
    const target = schema.models.get(relation.target) as Model;
    const join = relation.through ? (schema.models.get(relation.through.model) as Model) : null;
    const keys: readonly (readonly [Model, string | null | undefined])[] = [
      [model, relation.via === "belongsTo" ? relation.name : null],
      [target, relation.inverseOf],
      ...(join ? ([relation.through?.toLocal, relation.through?.toTarget] as const).map((name) => [join, name] as const) : []),
    ];
    const canName = keys.every(([of, name]) => {
      const field = of.fields.get(name ?? "");
      return field === undefined || isReadable(of, field);
    });
    const canRead = [target, ...(join ? [join] : [])].every((of) => isOpen(of, "read"));
    return canName && canRead ? [{ relation, target }] : [];
  });
}

/** How a field shows to callers who differ: `absent` from the rows of some, `masked` by null in some rows. */
export function visibilityOf({ access }: Model, field: Field): { readonly absent: boolean; readonly masked: boolean } {
  const rule = access.fields.get(field.name)?.read;
  if (!rule || rule.op === "true") return { absent: false, masked: false };
  // Rules about the caller alone are decided before the query; those about the row, in it.
  return { absent: true, masked: !isOverFacts(rule) };
}

function isOverFacts(rule: Filter): boolean {
  if (rule.op === "and" || rule.op === "or") return rule.args.every(isOverFacts);
  return rule.op === "not" ? isOverFacts(rule.arg) : rule.op === "fact" || rule.op === "true" || rule.op === "false";
}

/** Fields that some caller may give in a write. A field that nobody reads is among them where a rule of its own says so. */
export function writableFields(model: Model, action: "create" | "update"): readonly Field[] {
  return [...model.fields.values()].filter((field) => {
    const rules: ReturnType<Access["fields"]["get"]> = model.access.fields.get(field.name);
    if (field.partOf !== null || field.hidden || field.computed || field.readOnly || field.role === "version") return false;
    if (action === "update" && field.immutable) return false;
    if (rules?.[action]?.op === "false") return false;
    return rules?.read?.op !== "false" || Boolean(rules[action]);
  });
}

/** Owned relations, whose rows may be created along with their parent. */
export function nestedRelations(model: Model, schema: Schema): readonly Followed[] {
  return followedRelations(model, schema).filter(({ relation, target }) => relation.owned && isOpen(target, "create"));
}

/** Owned relations, whose rows an update may say what becomes of. */
export function ownedRelations(model: Model, schema: Schema): readonly Followed[] {
  return followedRelations(model, schema).filter(
    ({ relation, target }) =>
      relation.owned &&
      relation.kind === "many" &&
      (isOpen(target, "create") || (!target.requireVersion && (isOpen(target, "update") || isOpen(target, "delete")))),
  );
}
