/** Runs calls and takes down what they answer and how many statements they took: for tests that compare databases. */
import { AppError } from "../../src/base/errors.ts";
import type { createTestApp } from "../../src/testing/test-app.ts";

type App = Pick<Awaited<ReturnType<typeof createTestApp>>, "engine" | "statements">;
export type Call = Parameters<App["engine"]["execute"]>[0];

const origin = { actor: { kind: "anonymous", id: null, roles: [], claims: {} }, requestId: "few" } as const;

/** What a call answers or fails with, as a text, and the statements that it says it took, and that went to the driver. */
export async function run(app: App, call: Call) {
  app.statements();
  const outcome = await app.engine.execute(call, origin).catch((error: unknown) => error);
  const ran = app.statements();
  if (outcome instanceof Error) return { answer: JSON.stringify(outcome, telling), said: 0, ran };
  const { result, statements } = outcome as Awaited<ReturnType<App["engine"]["execute"]>>;
  return { answer: JSON.stringify(result, telling), said: statements, ran };
}

function telling(_: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  if (!(value instanceof AppError)) return { name: value.name, message: value.message };
  const { message, code, status, errors } = value;
  return { code, status, message, errors };
}
