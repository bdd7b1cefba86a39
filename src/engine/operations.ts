/** Compiles the list of operations: what every model gives, and the backend's actions with their access. */
import { createProblems, problemsError } from "../schema/errors.ts";
import type { FieldSpec } from "../schema/field.ts";
import { compileParams } from "../schema/compile-fields.ts";
import type { Filter } from "../schema/filter.ts";
import { nameFault } from "../schema/names.ts";
import { type Resolver, resolveRule } from "../schema/resolve.ts";
import type { DocumentField, Model, Schema } from "../schema/schema.ts";
import type { ActionContext, ActionRun, StandardSchema } from "./write/action.ts";
import { type ActionHandlerContext, actionAccess, type ActionOptions, type BackendSpec } from "./backend.ts";
import { modelOperations, type Operation } from "./operation.ts";
import type { Registry } from "./typed.ts";
import type { Db } from "./db.ts";
import { sessionBeside } from "./run/session.ts";
import type { Writing } from "./context.ts";
import { transact } from "./write/writing.ts";

const reads: ReadonlySet<string> = new Set(["list", "get", "aggregate"]);

export interface Compiled {
  readonly operations: ReadonlyMap<string, Operation>;
  readonly actions: ReadonlyMap<string, ActionRun>;
  /** The schema's roles and those that only actions ask for. */
  readonly roles: readonly string[];
}

/** @throws backend_invalid with every problem of an action or hook */
export function compileOperations(spec: BackendSpec, schema: Schema): Compiled {
  const operations = new Map<string, Operation>();
  const actions = new Map<string, ActionRun>();
  const problems = createProblems();
  const roles = [...schema.roles];
  for (const model of schema.models.values()) {
    for (const action of modelOperations) {
      if (action === "restore" && !model.softDelete) continue;
      if (model.readOnly && !reads.has(action)) continue;
      if (action === "get" && model.key.length === 0) continue;
      const name = `${model.name}.${action}`;
      operations.set(name, { name, kind: reads.has(action) ? "read" : "write", of: "model", model, action });
    }
  }
  for (const [name, options] of spec.actions) {
    const fault = nameFault(name, "model");
    if (fault) problems.add(`action ${name}`, fault, "Rename the action.");
    const run = compileAction(name, options, { models: schema.models, roles, problems, place: `action ${name}` });
    operations.set(name, run.operation);
    actions.set(name, run);
  }
  for (const { model } of [...spec.hooks, ...spec.listeners]) {
    if (!schema.models.has(model))
      problems.add(`hook on ${model}`, "there is no such model.", `There are ${[...schema.models.keys()].join(", ")}.`);
  }
  if (problems.found.length > 0) throw problemsError(problems.found);
  return { operations, actions, roles };
}

function compileAction(name: string, options: ActionOptions<Registry, unknown, unknown>, resolver: Resolver): ActionRun {
  const { place } = resolver;
  const access = resolveRule(
    actionAccess(options),
    { scope: { from: "row" }, model: nothing },
    { ...resolver, place: `${place}.access` },
  );
  if (!isOverFacts(access))
    resolver.problems.add(
      `${place}.access`,
      "it asks for more than the actor's roles.",
      "Use everyone, me.signedIn and me.has(…); judge the rest in run().",
    );
  const standard = isStandard(options.input) ? options.input : null;
  const input = standard ? null : compileInput(options.input, resolver);
  const operation = {
    name,
    kind: options.kind ?? "write",
    of: "action",
    input,
    output: null,
    access,
    summary: options.summary ?? name,
  } as const;
  return { operation, standard, handler: (context) => options.run(handlerContext(context)) };
}

// An action stands beside the models: its access has no row to speak of.
const nothing: Model = Object.freeze({
  name: "an action",
  table: "",
  was: [],
  key: [],
  fields: new Map(),
  relations: new Map(),
  indexes: [],
  search: [],
  softDelete: false,
  timestamps: false,
  requireVersion: false,
  adopted: false,
  takenOver: false,
  without: [],
  readOnly: false,
  version: null,
  access: {
    read: { op: "false" },
    create: { op: "false" },
    update: { op: "false" },
    delete: { op: "false" },
    fields: new Map(),
  } as const,
  limits: { pageSize: 0, pageSizeMax: 0 },
});

function isOverFacts(filter: Filter): boolean {
  if (filter.op === "and" || filter.op === "or") return filter.args.every(isOverFacts);
  return filter.op === "not" ? isOverFacts(filter.arg) : filter.op === "fact" || filter.op === "true" || filter.op === "false";
}

function isStandard(input: unknown): input is StandardSchema {
  return (typeof input === "object" || typeof input === "function") && input !== null && "~standard" in input;
}

function compileInput(input: unknown, { place, problems }: Resolver): ReadonlyMap<string, DocumentField> {
  const fields = new Map<string, DocumentField>();
  for (const [name, field] of Object.entries((input ?? {}) as Readonly<Record<string, { readonly spec: FieldSpec }>>)) {
    const { spec } = field;
    fields.set(name, {
      type: spec.type,
      params: compileParams(spec, `${place}.${name}`, problems),
      optional: spec.flags.has("optional") || spec.flags.has("default"),
    });
  }
  return fields;
}

function handlerContext({ input, me, now, newId, requestId, writing }: ActionContext): ActionHandlerContext<Registry, unknown> {
  const { dbIn } = writing.context.hooks;
  // A write beside the transaction would wait for it, and it for the write: that is told at once.
  const held = { count: 0 };
  const beside: Writing = { ...writing, session: sessionBeside(writing.session, held) };
  const here = dbIn(beside.session, beside) as Db<Registry> & { readonly system: Db<Registry> };
  return {
    input: input as never,
    me,
    now,
    newId,
    requestId,
    db: here,
    system: here.system,
    transaction: async (work) => {
      held.count++;
      try {
        return await transact(writing, (inner) => work(dbIn(inner.session, inner) as typeof here));
      } finally {
        held.count--;
      }
    },
  };
}
