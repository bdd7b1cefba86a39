/** What `holdfast check` finds: trouble that a backend would meet later, each with its place, why it matters and the mend. */
import { nearest } from "../../base/suggest.ts";
import type { Facts } from "../../engine/actor.ts";
import type { Backend } from "../../engine/backend.ts";
import { foldFacts } from "../../engine/guard.ts";
import type { Operation } from "../../engine/operation.ts";
import { sayRule } from "../../engine/explain/sentence.ts";
import type { Registry } from "../../engine/typed.ts";
import type { Expression, Filter } from "../../schema/filter.ts";
import { type Action, type Field, isMigrated, type Model, type Schema } from "../../schema/schema.ts";
import type { Finding } from "./finding.ts";
import { findSlowRules } from "./slow-rules.ts";

export interface Checking {
  readonly schema: Schema;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly hooks: Backend<Registry>["spec"]["hooks"];
}

/** Callers of every kind that rules tell apart one by one: a stranger, somebody, somebody with each role, somebody with all. */
export function kindsOf({ roles }: Schema): readonly Facts[] {
  const make = (holds: readonly boolean[]): Facts => ({ key: holds.map(Number).join(""), system: false, holds });
  const signedIn = (has: (role: string) => boolean) => make([true, ...roles.map(has)]);
  return [
    make([false, ...roles.map(() => false)]),
    signedIn(() => false),
    ...roles.map((role) => signedIn((each) => each === role)),
    signedIn(() => true),
  ];
}

/** Everything there is to say, errors first, in the order of the models. */
export function findTrouble(checking: Checking): readonly Finding[] {
  const { schema } = checking;
  const kinds = kindsOf(schema);
  const models = [...schema.models.values()].flatMap((model) => [
    ...findClosedDoors(model, checking, kinds),
    ...findSlowRules(model, schema, kinds),
    ...findLongPages(model),
    ...findLooseLinks(model, schema),
    ...findUnheld(model, schema),
    ...findLeaks(model, kinds),
  ]);
  const found = [...models, ...findClosedActions(checking), ...findLikeRoles(schema)];
  return found.toSorted((a, b) => a.level.localeCompare(b.level));
}

function isOpen(rule: Filter | null | undefined, facts: Facts): boolean {
  return !rule || foldFacts(rule, facts).op !== "false";
}

/** Things that nobody can do, though the backend declares them. */
function findClosedDoors(model: Model, { schema, hooks }: Checking, kinds: readonly Facts[]): Finding[] {
  const may = (action: Action) => kinds.filter((facts) => isOpen(model.access[action], facts));
  const actions = ["read", "create", "update", "delete"] as const;
  const place = `${model.name}.access`;
  if (actions.every((action) => may(action).length === 0))
    return [
      {
        level: "warning",
        place,
        problem: "nobody may do anything.",
        why: "Without a rule everything is denied; only db.system reaches the model.",
        mend: "Declare .access(…), or leave it so if only your own code uses it.",
      },
    ];
  const found: Finding[] = [];
  if (may("read").length === 0)
    found.push({
      level: "warning",
      place: `${place}.read`,
      problem: "nobody may read it.",
      why: "Its lists are empty for everyone, and relations to it lead nowhere.",
      mend: "Give it a read rule, or leave it so if only your own code reads it.",
    });
  for (const action of ["update", "delete"] as const) {
    const blind = may(action).length > 0 && may(action).every((facts) => !isOpen(model.access.read, facts));
    if (blind)
      found.push({
        level: "error",
        place: `${place}.${action}`,
        problem: `whoever may ${action} may not read.`,
        why: "A row that cannot be read answers 404 to every change.",
        mend: "Let them read, too.",
      });
  }
  const creators = may("create");
  for (const field of creators.length === 0 ? [] : model.fields.values())
    if (field.partOf === null) found.push(...findUnfillable(field, { schema, hooks, creators }));
  return found;
}

interface Creating extends Pick<Checking, "schema" | "hooks"> {
  readonly creators: readonly Facts[];
}

/** A field without which no row can be made, and which nobody can give. */
function findUnfillable(field: Field, { schema, hooks, creators }: Creating): Finding[] {
  if (field.optional || field.default || field.computed || field.role || field.params.serial) return [];
  const place = `${field.model}.${field.name}`;
  const isHooked = hooks.some(({ when, model, op }) => when === "before" && model === field.model && op === "create");
  if ((field.readOnly || field.hidden) && !isHooked)
    return [
      {
        level: "error",
        place,
        problem: "it is required, and no caller can give it.",
        why: "Every create is refused.",
        mend: "Give it a default, make it optional(), or set it in a before-create hook.",
      },
    ];
  const target = field.relation ? schema.models.get(field.relation.target) : undefined;
  if (target && creators.every((facts) => !isOpen(target.access.read, facts)))
    return [
      {
        level: "error",
        place,
        problem: `whoever may create may not read ${target.name}.`,
        why: "What cannot be seen cannot be linked: every create is refused.",
        mend: `Let them read ${target.name}, or make ${field.name} optional().`,
      },
    ];
  return [];
}

function findClosedActions({ operations, schema }: Checking): Finding[] {
  return [...operations.values()].flatMap((operation): Finding[] => {
    if (operation.of !== "action") return [];
    const isClosed = kindsOf(schema).every((facts) => !isOpen(operation.access, facts));
    if (!isClosed) return [];
    return [
      {
        level: "error",
        place: `action ${operation.name}`,
        problem: "nobody may call it.",
        why: `Its access is "${sayRule(operation.access, schema.roles)}".`,
        mend: "Say who may: everyone, me.signedIn or me.has(…).",
      },
    ];
  });
}

const pageSizeLarge = 1000;

function findLongPages({ name, limits }: Model): Finding[] {
  if (limits.pageSizeMax <= pageSizeLarge) return [];
  return [
    {
      level: "warning",
      place: `${name}.pages`,
      problem: `a page may hold ${limits.pageSizeMax} rows.`,
      why: "One request may then cost as much as a thousand, and every relation it expands multiplies it.",
      mend: `Keep max at ${pageSizeLarge} or less; whoever wants everything follows page.next.`,
    },
  ];
}

/** Relations whose keys no index leads with, and links that may exist twice. */
function findLooseLinks(model: Model, schema: Schema): Finding[] {
  return [...model.relations.values()].flatMap((relation): Finding[] => {
    const target = schema.models.get(relation.target);
    if (relation.via === "has" && target) {
      const foreign = relation.on.map(({ foreign: column }) => column);
      return isLed(target, foreign) ? [] : [unindexed(`${target.name}.${relation.inverseOf}`, `${model.name}.${relation.name}`)];
    }
    const join = relation.through ? schema.models.get(relation.through.model) : undefined;
    if (!relation.through || !join) return [];
    const links = [relation.through.toLocal, relation.through.toTarget].map((name) => {
      const field = join.fields.get(name);
      return (field?.parts ?? [field]).map((part) => part?.column ?? "");
    });
    const columns = links.flat();
    const found = links.flatMap((link, index) =>
      isLed(join, link)
        ? []
        : [
            unindexed(
              `${join.name}.${[relation.through?.toLocal, relation.through?.toTarget][index]}`,
              `${model.name}.${relation.name}`,
            ),
          ],
    );
    const isUnique = join.indexes.some(
      (index) =>
        index.unique && index.columns.length <= columns.length && index.columns.every(({ column }) => columns.includes(column)),
    );
    const isKey = join.key.length === columns.length && join.key.every(({ column }) => columns.includes(column));
    if (isUnique || isKey) return found;
    const { toLocal, toTarget } = relation.through;
    return [
      ...found,
      {
        level: "warning",
        place: `${join.name}`,
        problem: `the same ${toLocal} and ${toTarget} can be linked twice.`,
        why: `${model.name}.${relation.name} then shows the row twice.`,
        mend: `Add .unique(${JSON.stringify(toLocal)}, ${JSON.stringify(toTarget)}) to ${join.name}.`,
      },
    ];
  });
}

/** Nothing in a database can refer to a view. */
function findUnheld(model: Model, schema: Schema): Finding[] {
  if (!isMigrated(model)) return [];
  return [...model.relations.values()].flatMap(({ name, via, target }): Finding[] => {
    const there = schema.models.get(target);
    if (via !== "belongsTo" || !there?.adopted || !there.readOnly) return [];
    return [
      {
        level: "warning",
        place: `${model.name}.${name}`,
        problem: `${target} is a view, and no foreign key leads to one.`,
        why: "Links are checked when they are written; when the row there goes, they lead nowhere.",
        mend: "Let it belong to the table that the view reads, or leave it so.",
      },
    ];
  });
}

function unindexed(place: string, relation: string): Finding {
  return {
    level: "warning",
    place,
    problem: "no index leads with it.",
    why: `Following ${relation} reads the whole table, for each row.`,
    mend: "Add an index that starts with it.",
  };
}

/** Whether these columns come first in an index over all rows, or in the key. */
export function isLed(model: Model, columns: readonly string[]): boolean {
  const leads = (names: readonly string[]) => columns.every((column) => names.slice(0, columns.length).includes(column));
  return (
    leads(model.key.map(({ column }) => column)) ||
    model.indexes.some((index) => index.where === null && leads(index.columns.map(({ column }) => column)))
  );
}

/** Computed fields that show somebody what a field they are made of hides. */
function findLeaks(model: Model, kinds: readonly Facts[]): Finding[] {
  const isReadable = (field: Field, facts: Facts) => !field.hidden && isOpen(model.access.fields.get(field.name)?.read, facts);
  return [...model.fields.values()].flatMap((field): Finding[] => {
    if (!field.computed) return [];
    const leaked = partsOf(field.computed).find((part) =>
      kinds.some((facts) => isOpen(model.access.read, facts) && isReadable(field, facts) && !isReadable(part, facts)),
    );
    if (!leaked) return [];
    return [
      {
        level: "warning",
        place: `${model.name}.${field.name}`,
        problem: `it is computed from ${leaked.name}, and some who may read it may not read ${leaked.name}.`,
        why: `From ${field.name} they can work ${leaked.name} out.`,
        mend: `Give ${field.name} the read rule of ${leaked.name}.`,
      },
    ];
  });
}

function partsOf(expression: Expression): readonly Field[] {
  if (expression.op === "field") return [expression.field];
  return expression.op === "call" ? expression.args.flatMap(partsOf) : [];
}

/** Two roles that differ by a letter are probably one. */
function findLikeRoles({ roles }: Schema): Finding[] {
  return roles.flatMap((role, index): Finding[] => {
    const near = nearest(role, roles.slice(0, index));
    if (near === null || Math.abs(near.length - role.length) > 1 || !isOneLetterOff(near, role)) return [];
    return [
      {
        level: "warning",
        place: `role ${role}`,
        problem: `there is also a role ${near}.`,
        why: "A misspelt role is a rule that nobody meets.",
        mend: "Spell them alike, or tell them further apart.",
      },
    ];
  });
}

function isOneLetterOff(a: string, b: string): boolean {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  let at = 0;
  while (at < short.length && long[at] === short[at]) at++;
  return long.length === short.length ? long.slice(at + 1) === short.slice(at + 1) : long.slice(at + 1) === short.slice(at);
}
