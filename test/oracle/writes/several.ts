/** The oracle's writes that look first, or change several rows: put, upsert, bulk writes and batches. */
import { ask, getOne, passes } from "../answers.ts";
import { allow, OracleRefusal } from "../refusals.ts";
import { hasField, isLive } from "../rules.ts";
import { type FieldDef, fieldOf, type ModelDef, modelOf, type Row } from "../world.ts";
import { readGiven } from "./input.ts";
import type { Step, Write } from "./make-write.ts";
import { type Answered, answered, create, remove, restore, update } from "./one.ts";
import { atomic, byKey, findRow, idOf, isEqual, judged, rowsOf, type State, worldOf } from "./state.ts";

/** Does a write, all of it or nothing. @throws OracleRefusal */
export function perform(state: State, write: Write): unknown {
  if (write.op === "batch") return batch(state, write.steps, write.atomic);
  return atomic(state, (inner) => performOne(inner, write));
}

type One = Exclude<Write, { readonly op: "batch" }>;

function performOne(state: State, write: One): unknown {
  const model = modelOf({ models: state.models }, write.model);
  switch (write.op) {
    case "create":
      return create(state, model, write.data);
    case "update":
      return update(state, model, write);
    case "delete":
      remove(state, model, write);
      return "deleted";
    case "restore":
      return restore(state, model, write.id);
    case "put":
      return replace(state, model, write);
    case "upsert":
      return upsert(state, model, write);
    case "updateMany":
    case "deleteMany":
      return many(state, model, write);
  }
}

function replace(state: State, model: ModelDef, { id, key, data, ifVersion }: Extract<One, { op: "put" }>): Answered {
  if (fieldOf(model, "id")?.filled === "serial") throw new OracleRefusal("not_found");
  const found = findRow(state, model, id);
  if (!found) {
    if (ifVersion !== undefined && ifVersion !== 0) throw new OracleRefusal("precondition_failed");
    return create(state, model, { ...data, ...key });
  }
  allow(model.rules.update, state.viewer);
  const whole: Record<string, unknown> = { ...data };
  for (const field of model.fields) {
    const isOpen =
      field.filled === "caller" &&
      !field.computed &&
      field.write?.guard === undefined &&
      !model.key.includes(field.name) &&
      hasField(model, field.name, state.viewer);
    if (!isOpen || field.name in whole) continue;
    if (!field.optional) throw new OracleRefusal("invalid_input");
    whole[field.name] = null;
  }
  return update(state, model, { id, data: whole, ifVersion });
}

function upsert(state: State, model: ModelDef, write: Extract<One, { op: "upsert" }>): Answered {
  const { data, onConflict, onConflictDo } = write;
  allow(model.rules.create, state.viewer);
  allow(model.rules.update, state.viewer);
  const { sets } = readGiven(model, data, { viewer: state.viewer, mode: "create" });
  if (onConflict.some((name) => (sets[name] ?? null) === null)) throw new OracleRefusal("invalid_input");
  const isKey = onConflict.every((name) => model.key.includes(name));
  const found = rowsOf(state, model).find(
    (row) =>
      (isKey || isLive(row)) && onConflict.every((name) => isEqual(fieldOf(model, name) as FieldDef, row[name], sets[name])),
  );
  if (!found) return create(state, model, data);
  if (onConflictDo === "nothing") {
    const row = getOne(ask(worldOf(state), state.viewer), model, { row: found, select: undefined });
    return { ...answered(state, model, { row: found, created: false }), row };
  }
  const isGiven = (name: string) =>
    !onConflict.includes(name) && !model.key.includes(name) && fieldOf(model, name)?.write?.guard !== "immutable";
  const rest = Object.fromEntries(Object.entries(data).filter(([name]) => isGiven(name)));
  return update(state, model, { id: idOf(model, found), data: rest });
}

function many(state: State, model: ModelDef, write: Extract<One, { op: "updateMany" | "deleteMany" }>): unknown {
  const action = write.op === "updateMany" ? "update" : "delete";
  allow(model.rules[action], state.viewer);
  if (write.op === "updateMany") readGiven(model, write.data, { viewer: state.viewer, mode: "update" });
  const asked = ask(worldOf(state), state.viewer);
  const found = rowsOf(state, model)
    .filter((row) => {
      const at = { model, row };
      return (
        isLive(row) &&
        judged(state, model.rules.read, at) &&
        judged(state, model.rules[action], at) &&
        passes(asked, at, write.where)
      );
    })
    .toSorted((left, right) => byKey(model, left, right));
  if (found.length > write.maxAffected) throw new OracleRefusal("too_many_affected");
  for (const row of found) {
    const id = idOf(model, row);
    if (write.op === "updateMany") update(state, model, { id, data: write.data });
    // One that went along with an earlier one is gone.
    else if (findRow(state, model, id)) remove(state, model, { id });
  }
  return found.length;
}

function batch(state: State, steps: readonly Step[], isAtomic: boolean): unknown {
  const answers = new Map<string, Row>();
  const run = (at: State) =>
    steps.map((step, index) => {
      const attempt = () => {
        const data = resolve(step.write, answers);
        const answer = atomic(at, (inner) => performOne(inner, data));
        answers.set(`o${index}`, typeof answer === "object" && answer !== null ? answerOf(answer as Answered) : {});
        return answer;
      };
      if (isAtomic) return attempt();
      try {
        return attempt();
      } catch (error) {
        if (error instanceof OracleRefusal) return { refused: error.code };
        throw error;
      }
    });
  return isAtomic ? atomic(state, run) : run(state);
}

function answerOf({ id, row }: Answered): Row {
  return { id, ...(row as Row | null) };
}

/** Replaces what stands for a field of an earlier answer. */
function resolve(write: One, answers: ReadonlyMap<string, Row>): One {
  if (!("data" in write)) return write;
  const data = Object.entries(write.data).map(([name, value]) => {
    if (typeof value !== "object" || value === null || !("$ref" in value)) return [name, value];
    const [op = "", field = ""] = String(value.$ref).split(".");
    const answer = answers.get(op);
    if (!answer || !Object.hasOwn(answer, field)) throw new OracleRefusal("invalid_input");
    return [name, answer[field]];
  });
  return { ...write, data: Object.fromEntries(data) as Row };
}
