/** Faults of writing to plant between the engine and the database, each of a kind that an engine could really have. */
import type { Database, Statement, Step } from "../../../src/drivers/database.ts";
import type { Between } from "../load.ts";
import type { FieldDef, ModelDef, Rule, Rules } from "../world.ts";

export interface WriteFault {
  readonly name: string;
  readonly between: Between;
}

// Changes the steps of every unit, inside transactions too.
function inSteps(name: string, change: (step: Step) => Step): WriteFault {
  const unit = (steps: readonly Step[]) => steps.map(change);
  const database = (real: Database): Database => ({
    ...real,
    write: (steps) => real.write(unit(steps)),
    transaction: (work, options) =>
      real.transaction(
        (tx) => work({ read: (statement) => tx.read(statement), write: (steps) => tx.write(unit(steps)) }),
        options,
      ),
  });
  return { name, between: { database } };
}

function inText(name: string, change: (text: string) => string): WriteFault {
  return inSteps(name, (step) => ({ ...step, text: change(step.text) }));
}

function inModels(name: string, change: (model: ModelDef) => Partial<ModelDef>): WriteFault {
  const models = (told: ReadonlyMap<string, ModelDef>) =>
    new Map([...told].map(([key, model]) => [key, { ...model, ...change(model) }]));
  return { name, between: { models } };
}

function inFields(name: string, change: (field: FieldDef) => FieldDef): WriteFault {
  return inModels(name, ({ fields }) => ({ fields: fields.map(change) }));
}

const everyone: Rule = { is: "everyone" };
const open = (rules: Rules, action: keyof Rules) => ({ rules: { ...rules, [action]: everyone } });
const noDelete = (statement: Statement["text"]) => statement.replace(/'delete'/, "'update'");

export const writeFaults: readonly WriteFault[] = [
  inModels("creates without their rule", ({ rules }) => open(rules, "create")),
  inModels("updates without their rule", ({ rules }) => open(rules, "update")),
  inModels("deletes without their rule", ({ rules }) => open(rules, "delete")),
  inSteps("the rule judged only before the write", (step) =>
    step.kind === "check" && step.text.includes("'forbidden'") && !step.text.includes("left join")
      ? { ...step, text: "select null", params: [] }
      : step,
  ),
  inSteps("keys that lead to rows which cannot be seen", (step) =>
    step.kind === "check" && step.text.includes("'reference:") ? { ...step, text: "select null", params: [] } : step,
  ),
  inText("a version that does not count", (text) => text.replace(/"version" = "version" \+ 1/, '"version" = "version"')),
  inText("a stale version taken for the present one", (text) => text.replace(/ then 'version'/, " and 1 = 0 then 'version'")),
  inText("$add beyond the bounds", (text) =>
    text
      .replaceAll(/when \([^?]*\? >= [^)]*\) is not true then 'range:\w+'/g, (whole) => whole.replace("is not true", "is null"))
      .replaceAll(/ and "\w+" \+ \? (>=|<=) -?\d+/g, ""),
  ),
  inText("a record that calls a delete an update", noDelete),
  inText("a record without the row as it was", (text) =>
    text.startsWith("select json_object(")
      ? text.replace(/^select json_object\(.*\), t0\."version" from/, 'select null, t0."version" from')
      : text,
  ),
  inFields("what is fixed at creation changed", (field) => (field.write?.guard === "immutable" ? withoutGuard(field) : field)),
  inFields("what is set once set twice", (field) => (field.write?.guard === "writeOnce" ? withoutGuard(field) : field)),
  inFields("rows that go along kept", (field) => onDelete(field, "cascade", "restrict")),
  inFields("rows that forget taken along", (field) => onDelete(field, "setNull", "cascade")),
];

function withoutGuard(field: FieldDef): FieldDef {
  const { guard: _, ...write } = field.write ?? {};
  return { ...field, write };
}

function onDelete(field: FieldDef, from: string, to: "restrict" | "cascade"): FieldDef {
  return field.write?.onDelete === from ? { ...field, write: { ...field.write, onDelete: to } } : field;
}
