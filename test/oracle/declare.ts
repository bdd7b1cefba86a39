/** Turns the oracle's description into a declared backend: the only place that speaks the schema language. */
import { type Cond, and, everyone, nobody, not, or } from "../../src/schema/cond.ts";
import * as make from "../../src/schema/field.ts";
import { model } from "../../src/schema/model.ts";
import { belongsTo, hasMany, hasOne, manyToMany } from "../../src/schema/relation.ts";
import { expr, type MeTerms } from "../../src/schema/rule.ts";
import { backend } from "../../src/engine/backend.ts";
import { type Expression, type FieldDef, fieldOf, type ModelDef, type Operand, type RelationDef, type Rule } from "./world.ts";

/** A row in a rule, with every name there at run time. */
type Terms = { readonly [name: string]: Terms } & ((...operands: readonly unknown[]) => Cond);
type Loose = { readonly name: string } & { readonly [method: string]: (...args: readonly unknown[]) => Loose };
type Maker = { readonly [modifier: string]: (...args: readonly unknown[]) => Maker };

/** The backend of a description. */
export function declareBackend(models: ReadonlyMap<string, ModelDef>): ReturnType<typeof backend> {
  const declared: Record<string, Loose> = {};
  for (const def of models.values()) declared[def.name] = declareModel(def, declared, models);
  return backend(declared);
}

function declareModel(def: ModelDef, declared: Record<string, Loose>, models: ReadonlyMap<string, ModelDef>): Loose {
  const members: Record<string, unknown> = {};
  for (const field of def.fields) {
    if (field.filled === "engine" || field.computed || (field.name === "id" && field.kind === "uuid")) continue;
    members[field.name] = field.target === null ? declareField(field) : declareOwn(field, def, { declared, models });
  }
  for (const relation of def.relations) {
    const member = declareFar(relation, declared);
    if (member) members[relation.name] = member;
  }
  let made = model(def.name, members as never) as unknown as Loose;
  const call = (method: string, ...args: readonly unknown[]) => {
    made = (made[method] as (...given: readonly unknown[]) => Loose)(...args);
  };
  if (def.key[0] !== "id") call("key", ...def.key);
  for (const field of def.fields) {
    if (!field.computed) continue;
    call("computed", field.name, declareField({ ...field, optional: false }));
    call("from", ({ row }: { row: Terms }) => toExpr(field.computed as Expression, row));
  }
  if (def.timestamps) call("timestamps");
  if (def.softDelete) call("softDelete");
  if (def.search.length > 0) call("search", ...def.search);
  call("access", ({ row, me }: { row: Terms; me: MeTerms }) => {
    const rule = (one: Rule) => toCond(one, [row], me);
    const fields = Object.fromEntries(Object.entries(def.rules.fields).map(([name, read]) => [name, { read: rule(read) }]));
    return {
      read: rule(def.rules.read),
      create: rule(def.rules.create),
      update: rule(def.rules.update),
      delete: rule(def.rules.delete),
      fields,
    };
  });
  return made;
}

function declareField(field: FieldDef): unknown {
  const makers = make as unknown as Record<string, (...args: readonly unknown[]) => Maker>;
  const maker = (name: string, ...args: readonly unknown[]) => (makers[name] as (...given: readonly unknown[]) => Maker)(...args);
  const modify = (plain: Maker) => {
    const made = withWrites(plain, field);
    const shown = field.hidden ? (made["hidden"] as () => Maker)() : made;
    return field.optional ? (shown["optional"] as () => Maker)() : shown;
  };
  if (field.filled === "serial") return maker("serial");
  if (field.kind === "decimal") return modify(maker("decimal", field.precision, field.scale));
  if (field.kind === "choice") return modify(maker("choice", ...(field.choices ?? [])));
  if (field.kind === "list") return modify(maker("list", declareField(field.item as FieldDef)));
  if (field.kind === "json" && field.shape)
    return modify(maker("json", Object.fromEntries(field.shape.map((one) => [one.name, declareField(one)]))));
  return modify(maker(field.kind));
}

function withWrites(made: Maker, { write }: FieldDef): Maker {
  const call = (of: Maker, name: string, ...args: readonly unknown[]) =>
    (of[name] as (...given: readonly unknown[]) => Maker)(...args);
  const guarded = write?.guard ? call(made, write.guard) : made;
  return write?.bounds ? call(call(guarded, "min", write.bounds[0]), "max", write.bounds[1]) : guarded;
}

function declareOwn(
  field: FieldDef,
  def: ModelDef,
  { declared, models }: { declared: Record<string, Loose>; models: ReadonlyMap<string, ModelDef> },
): unknown {
  const target = models.get(field.target as string) as ModelDef;
  const inverse = target.relations.find(
    ({ to, via }) => to === def.name && via.is === "theirs" && via.field === field.name && via.declared === "inverse",
  );
  const onDelete = field.write?.onDelete;
  const options = { ...(inverse ? { inverse: inverse.name } : {}), ...(onDelete ? { onDelete } : {}) };
  let made = withWrites(belongsTo(() => declared[target.name], options) as unknown as Maker, field);
  for (const flag of ["optional", "hidden", "unique"] as const) if (field[flag]) made = (made[flag] as () => Maker)();
  return made;
}

function declareFar({ to, many, via }: RelationDef, declared: Record<string, Loose>): unknown {
  const target = () => declared[to];
  if (via.is === "join") return manyToMany(target, { through: () => declared[via.model], from: via.from, to: via.to });
  if (via.is === "own" || via.declared === "inverse") return null;
  return many ? hasMany(target, { by: via.field }) : hasOne(target, { by: via.field });
}

function toCond(rule: Rule, rows: readonly Terms[], me: MeTerms): Cond {
  switch (rule.is) {
    case "everyone":
      return everyone;
    case "nobody":
      return nobody;
    case "signedIn":
      return me.signedIn;
    case "role":
      return me.has(rule.role);
    case "not":
      return not(toCond(rule.of, rows, me));
    case "and":
      return and(...rule.of.map((one) => toCond(one, rows, me)));
    case "or":
      return or(...rule.of.map((one) => toCond(one, rows, me)));
    case "compare": {
      const term = walk(rows.at(-1) as Terms, rule.path);
      const right = rule.right.map((operand) => toOperand(operand, rows, me));
      if (rule.right.some((operand) => "elements" in operand)) return (term[rule.operator] as Terms)(right[0]);
      const many = rule.operator === "in" || rule.operator === "nin";
      return many ? (term[rule.operator] as Terms)(right) : (term[rule.operator] as Terms)(...right);
    }
    default: {
      const many = walk(rows.at(-1) as Terms, rule.path);
      return (many[rule.is] as Terms)((row: Terms) => toCond(rule.of, [...rows, row], me));
    }
  }
}

function walk(row: Terms, path: readonly string[]): Terms {
  return path.reduce((at, name) => at[name] as Terms, row);
}

function toOperand(operand: Operand, rows: readonly Terms[], me: MeTerms): unknown {
  if ("value" in operand) return operand.value;
  if ("now" in operand) return make.now;
  if ("me" in operand) return operand.me === "id" ? me.id : me.claim(operand.me);
  if ("elements" in operand) return (rows.at(-1) as Terms)[operand.elements];
  return (rows.at(operand.outer ? -2 : -1) as Terms)[operand.field];
}

function toExpr(expression: Expression, row: Terms): never {
  if ("field" in expression) return row[expression.field] as never;
  if ("value" in expression) return expression.value as never;
  const calls = expr as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  return (calls[expression.call] as (...args: readonly unknown[]) => unknown)(
    ...expression.args.map((arg) => toExpr(arg, row)),
  ) as never;
}

/** Whether a key is made by the engine or the database. */
export function isMade(def: ModelDef): boolean {
  return fieldOf(def, def.key[0] as string)?.filled === "serial";
}
