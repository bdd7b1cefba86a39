/** Faults to plant between the engine and the database, each of a kind that an engine could really have. */
import type { Database, Statement } from "../../src/drivers/database.ts";
import type { Dialect } from "../../src/drivers/dialect.ts";
import type { Between } from "./load.ts";
import type { Value } from "../../src/schema/value.ts";
import type { ModelDef, Rule, Rules } from "./world.ts";

export interface Fault {
  readonly name: string;
  readonly between: Between;
}

function inDialect(name: string, change: (dialect: Dialect) => Partial<Dialect>): Fault {
  return { name, between: { dialect: (dialect) => ({ ...dialect, ...change(dialect) }) } };
}

// Changes the text of reads; a parameter that goes with it is the reason why conditions with one stay.
function inText(name: string, change: (text: string) => string): Fault {
  const changed = (statement: Statement): Statement => ({ ...statement, text: change(statement.text) });
  const database = (real: Database): Database => ({
    ...real,
    read: (statement, options) => real.read(changed(statement), options),
  });
  return { name, between: { database } };
}

function inParameters(name: string, change: (value: Value) => Value): Fault {
  const changed = (statement: Statement): Statement => ({ ...statement, params: statement.params.map(change) });
  const database = (real: Database): Database => ({
    ...real,
    read: (statement, options) => real.read(changed(statement), options),
  });
  return { name, between: { database } };
}

// The engine is told another rule than the oracle.
function inRules(name: string, change: (rules: Rules) => Partial<Rules>): Fault {
  const models = (told: ReadonlyMap<string, ModelDef>) =>
    new Map([...told].map(([key, model]) => [key, { ...model, rules: { ...model.rules, ...change(model.rules) } }]));
  return { name, between: { models } };
}

const everyone: Rule = { is: "everyone" };

function withSome(rule: Rule): Rule {
  if (rule.is === "and" || rule.is === "or") return { ...rule, of: rule.of.map(withSome) };
  if (rule.is === "not") return { ...rule, of: withSome(rule.of) };
  return rule.is === "every" ? { ...rule, is: "some" } : rule;
}

function dependsOnRow(rule: Rule): boolean {
  return rule.is === "compare" || "path" in rule || ("of" in rule && [rule.of].flat().some(dependsOnRow));
}

export const faults: readonly Fault[] = [
  inDialect("not as SQL has it, so that ne and nin leave out null", () => ({ not: (condition) => `not (${condition})` })),
  inDialect("contains without regard to case", ({ texts }) => ({
    texts: {
      ...texts,
      matches: (operator, left, parameter) =>
        operator === "contains"
          ? texts.matches(operator, texts.lower(left), texts.lower(parameter))
          : texts.matches("like", left, parameter),
    },
  })),
  inDialect("decimals as doubles", (dialect) => ({
    json: {
      ...dialect.json,
      value: (form, sql) =>
        // Keys have two digits after the point: with wrong ones no world is made.
        form.storage === "decimal" && form.scale > 2
          ? dialect.json.value(
              { ...form, storage: "text" },
              dialect.json.text({ ...form, storage: "real" }, dialect.numbers.real(sql, form.scale)),
            )
          : dialect.json.value(form, sql),
    },
  })),
  inParameters("whole numbers of nineteen digits taken for none", (value) =>
    typeof value === "bigint" && (value >= 10n ** 18n || value <= -(10n ** 18n)) ? null : value,
  ),
  inDialect("weeks that begin on Sunday", (dialect) => ({
    bucket: (unit, form, sql) => (unit === "week" ? `strftime('%Y-W%U', ${sql})` : dialect.bucket(unit, form, sql)),
  })),
  inText("null above every value", (text) =>
    text.replace(
      / order by (t0\."\w+")( desc)?/,
      (_, column: string, desc = "") => ` order by ${column}${desc} nulls ${desc ? "first" : "last"}`,
    ),
  ),
  inRules("models without their read rule", () => ({ read: everyone })),
  inRules("fields without what masks them in some rows", ({ fields }) => ({
    fields: Object.fromEntries(Object.entries(fields).map(([name, rule]) => [name, dependsOnRow(rule) ? everyone : rule])),
  })),
  inRules("every asked as some", ({ read }) => ({ read: withSome(read) })),
  inText("rows in the trash seen through relations", (text) =>
    text.replaceAll(/ and (t[1-9]\d*\."deleted_at" is null)(?= and|\)| order)/g, ""),
  ),
  inText("pages that lose their last row's equals", (text) => text.replace(/ or \((t0\."\w+") = \?/, " or ($1 <> $1 and $1 = ?")),
  inText("pages on the way back that lose the row they turned at", (text) =>
    text.replace(/([<>])= (?=\(\?)/, "$1 ").replace(/(t0\."\w+") ([<>]) \? or \1 = \?\)/, "$1 $2 ? or $1 <> $1 and $1 = ?)"),
  ),
];
