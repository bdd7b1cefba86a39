/** Random models for writes: those of reads, with what holds of writing them, and with rules that let some of it through. */
import { makeRule } from "../make-rules.ts";
import { makeModels } from "../make-schema.ts";
import type { Random } from "../random.ts";
import { type FieldDef, type ModelDef, type Rule, type Rules, type WriteDef } from "../world.ts";

export function makeWriteModels(random: Random): Map<string, ModelDef> {
  const models = makeModels(random);
  for (const model of models.values()) {
    const fields = model.fields.map((field): FieldDef => {
      const write = makeTraits(random, model, field);
      // A field that nobody can give, and that must be given, would let no row be made.
      const optional = field.optional || field.hidden;
      return write ? { ...field, optional, write } : field;
    });
    models.set(model.name, { ...model, fields });
  }
  for (const model of models.values()) models.set(model.name, { ...model, rules: makeRules(random, model, models) });
  return models;
}

function makeTraits(random: Random, model: ModelDef, field: FieldDef): WriteDef | null {
  if (field.filled !== "caller" || field.computed) return null;
  const isKey = model.key.includes(field.name);
  const guards = field.optional ? (["immutable", "writeOnce", "readOnly"] as const) : (["immutable"] as const);
  return {
    ...(!isKey && random.chance(0.15) ? { guard: random.pick(guards) } : {}),
    ...(!isKey && !field.target && field.kind === "integer" && field.small ? { bounds: [-10, 10] as const } : {}),
    ...(field.target
      ? { onDelete: random.pick(["restrict", "cascade", ...(field.optional ? ["setNull" as const] : [])] as const) }
      : {}),
  };
}

function makeRules(random: Random, model: ModelDef, models: ReadonlyMap<string, ModelDef>): Rules {
  const open = (chance: number): Rule => (random.chance(chance) ? { is: "everyone" } : makeWriteRule(random, model, models));
  return {
    read: random.chance(0.4) ? { is: "everyone" } : model.rules.read,
    create: open(0.5),
    update: open(0.4),
    delete: open(0.4),
    fields: model.rules.fields,
  };
}

// What the engine keeps changes with every write, which is no change that a rule is asked about.
function makeWriteRule(random: Random, model: ModelDef, models: ReadonlyMap<string, ModelDef>): Rule {
  for (let tries = 0; tries < 10; tries++) {
    const rule = makeRule(random, { model, models }, 1);
    if (!/"(version|updatedAt|deletedAt)"/.test(JSON.stringify(rule))) return rule;
  }
  return { is: "everyone" };
}
