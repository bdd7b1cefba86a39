/** Compiles relations: belongsTo first, which hold the keys, then the sides that follow from them. */
import type { Draft } from "./compile-fields.ts";
import {
  compileForeignKeys,
  type Declared,
  type Drafts,
  refreshParts,
  relationsOf,
  replaceField,
  targetOf,
} from "./compile-keys.ts";
import type { Problems } from "./errors.ts";
import type { RelationSpec } from "./relation.ts";
import type { Field, Model, Relation } from "./schema.ts";

/** Fills `draft.relations` of every model, and types its foreign keys. */
export function compileRelations(drafts: Drafts, problems: Problems): void {
  compileForeignKeys(drafts, problems);
  for (const draft of drafts.values()) {
    for (const [name, spec] of relationsOf(draft)) {
      if (spec.kind === "manyToMany") compileThrough({ drafts, draft, name, spec, problems });
      else if (spec.kind !== "belongsTo") compileHas({ drafts, draft, name, spec, problems });
    }
  }
  for (const draft of drafts.values()) {
    for (const [name, spec] of relationsOf(draft))
      if (spec.inverse !== null) compileInverse({ drafts, draft, name, spec, problems });
  }
  refreshParts(drafts);
}

function compileHas(declared: Declared): void {
  const { draft, name, spec, problems } = declared;
  const target = targetOf(declared);
  if (!target) return;
  const by = target.fields.get(spec.by ?? "");
  const belongsTo = by?.relation;
  if (!by || !belongsTo || belongsTo.target !== draft.name) {
    const candidates = [...target.fields.values()]
      .filter((field) => field.relation?.target === draft.name)
      .map((field) => field.name);
    problems.add(
      `${draft.name}.${name}`,
      `${target.name}.${spec.by ?? ""} does not belong to ${draft.name}.`,
      candidates.length > 0
        ? `Say { by: ${candidates.map((one) => JSON.stringify(one)).join(" or ")} }.`
        : `Add a belongsTo(() => ${draft.name}) to ${target.name}.`,
    );
    return;
  }
  if (spec.kind === "hasOne" && !by.unique)
    problems.add(
      `${draft.name}.${name}`,
      `${target.name}.${by.name} is not unique, so there may be many.`,
      "Make it unique(), or use hasMany.",
    );
  addRelation(draft, otherSide({ name, by, target, draft, owned: spec.owned, many: spec.kind === "hasMany" }), problems);
  if (spec.owned) ownRows(target, by);
}

// What is owned goes with its owner, unless the belongsTo says otherwise.
function ownRows(target: Draft, by: Field): void {
  const declared = target.spec.members[by.name] as { readonly spec: RelationSpec };
  if (declared.spec.onDelete !== null || !by.relation) return;
  const relation: Relation = { ...by.relation, onDelete: "cascade" };
  target.relations.set(by.name, relation);
  replaceField(target, { ...by, relation });
}

function compileInverse(declared: Declared): void {
  const { draft, name, spec, problems } = declared;
  const by = draft.fields.get(name);
  const target = by?.relation ? declared.drafts.get(by.relation.target) : undefined;
  if (!by || !target || spec.inverse === null) return;
  addRelation(
    target,
    otherSide({ name: spec.inverse, by, target: draft, draft: target, owned: false, many: !by.unique }),
    problems,
  );
}

function otherSide(side: { name: string; by: Field; target: Model; draft: Model; owned: boolean; many: boolean }): Relation {
  const on = (side.by.relation as Relation).on.map(({ local, foreign }) => ({ local: foreign, foreign: local }));
  return {
    name: side.name,
    model: side.draft.name,
    kind: side.many ? "many" : "one",
    via: "has",
    target: side.target.name,
    on,
    through: null,
    inverseOf: side.by.name,
    optional: true,
    owned: side.owned,
    onDelete: "restrict",
  };
}

function compileThrough(declared: Declared): void {
  const { draft, name, spec, problems } = declared;
  const target = targetOf(declared);
  const through = spec.through;
  const join = through ? targetOf(declared, through.model) : null;
  if (!target || !join || !through) return;
  const from = join.fields.get(through.from)?.relation;
  const to = join.fields.get(through.to)?.relation;
  if (from?.target !== draft.name || to?.target !== target.name) {
    problems.add(
      `${draft.name}.${name}`,
      `${join.name} does not link ${draft.name} by ${JSON.stringify(through.from)} to ${target.name} by ${JSON.stringify(through.to)}.`,
      `Name two belongsTo of ${join.name}: { from, to }.`,
    );
    return;
  }
  const relation: Relation = {
    name,
    model: draft.name,
    kind: "many",
    via: "through",
    target: target.name,
    on: [],
    through: { model: join.name, toLocal: through.from, toTarget: through.to },
    inverseOf: null,
    optional: true,
    owned: false,
    onDelete: "restrict",
  };
  addRelation(draft, relation, problems);
}

function addRelation(draft: Draft, relation: Relation, problems: Problems): void {
  if (draft.relations.has(relation.name) || draft.fields.has(relation.name)) {
    problems.add(`${draft.name}.${relation.name}`, "two fields or relations have this name.", "Rename one of them.");
    return;
  }
  draft.relations.set(relation.name, relation);
}
