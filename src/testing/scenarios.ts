/** Scenarios: who asks what, and what the answer, the change feed and the database must and must not show. */
import type { ChangeRecord } from "../engine/feed.ts";
import type { Reply, TestRequest } from "./requests.ts";
import type { TestActor } from "./test-app.ts";

/** A change in short, as in `insert films`. */
export type ChangeText = `${ChangeRecord["kind"]} ${string}`;

/** One request, and everything that must be true of its answer. */
export interface Scenario {
  readonly name: string;
  /** Who asks; left out, a stranger. */
  readonly actor?: TestActor;
  /** The request; a path alone is a GET; a function may use what earlier scenarios gave. */
  readonly request: TestRequest | string | (() => TestRequest | string);
  readonly status: number;
  /** Texts that the answer (headers, an empty line, body) must hold. */
  readonly contains?: readonly (string | RegExp)[];
  /** Texts that it must not hold. */
  readonly lacks?: readonly (string | RegExp)[];
  /** Exactly the changes that were committed, in order: `insert orders`, `update films`. Left out, any. */
  readonly changes?: readonly ChangeText[];
  /** Exactly how many SQL statements ran. Left out, any number. */
  readonly statements?: number;
  /** Looks further into the answer, or keeps what later scenarios need. */
  readonly check?: (reply: Reply) => void | Promise<void>;
}

/** What scenarios need of a test app. */
interface Target {
  request(request: TestRequest & { readonly as?: TestActor }): Promise<Reply>;
  changes(): Promise<readonly ChangeRecord[]>;
  statements(): number;
}

/** A test of `node:test` that can hold further ones. */
export interface SubtestRunner {
  test(name: string, run: () => Promise<void>): Promise<void>;
}

/** A list of scenarios, typed; two of one name are refused. */
export function defineScenarios<const S extends readonly Scenario[]>(scenarios: S): S {
  const names = scenarios.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two scenarios are called ${JSON.stringify(twice)}`);
  return scenarios;
}

/**
 * Runs scenarios in order and fails at the first thing that is not as it must be.
 * With the context of a `node:test` test, each scenario is a subtest of it.
 */
export async function runScenarios(app: Target, scenarios: readonly Scenario[], test?: SubtestRunner): Promise<void> {
  for (const scenario of scenarios) {
    if (test === undefined) await runScenario(app, scenario);
    else await test.test(scenario.name, () => runScenario(app, scenario));
  }
}

// What no answer may ever show, whatever a scenario asks.
const leaks = [/\bat .+\.[cm]?[jt]s:\d+/, /\bselect\b[^"]+\bfrom "/i, /SQLITE_/];

async function runScenario(app: Target, scenario: Scenario): Promise<void> {
  const { actor = null, contains = [], lacks = [] } = scenario;
  await app.changes();
  app.statements();
  const given = typeof scenario.request === "function" ? scenario.request() : scenario.request;
  const reply = await app.request({ ...(typeof given === "string" ? { path: given } : given), as: actor });
  const statements = app.statements();
  const whole = `${[...reply.headers].map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n${reply.text}`;
  const faults: string[] = [];
  if (reply.status !== scenario.status) faults.push(`the status is ${reply.status}, not ${scenario.status}`);
  for (const part of contains) if (!holds(whole, part)) faults.push(`it lacks ${String(part)}`);
  for (const part of [...lacks, ...leaks]) if (holds(whole, part)) faults.push(`it holds ${String(part)}`);
  if (scenario.statements !== undefined && statements !== scenario.statements)
    faults.push(`${statements} statements ran, not ${scenario.statements}`);
  if (scenario.changes) faults.push(...compareChanges(await app.changes(), scenario.changes));
  if (faults.length > 0) throw new Error(`${scenario.name}: ${faults.join("; ")}\n\n${reply.status}\n${whole}`);
  await scenario.check?.(reply);
}

function holds(whole: string, part: string | RegExp): boolean {
  return typeof part === "string" ? whole.includes(part) : part.test(whole);
}

function compareChanges(records: readonly ChangeRecord[], wanted: readonly ChangeText[]): readonly string[] {
  const found = records.map(({ kind, model }) => `${kind} ${model}`).join(", ");
  return found === wanted.join(", ") ? [] : [`the changes are ${found || "none"}, not ${wanted.join(", ") || "none"}`];
}
