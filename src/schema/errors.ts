/** The schema floor's error table, and the list of problems that a broken backend file is refused with. */
import { type AppError, defineErrors } from "../base/errors.ts";

export const schemaErrors = {
  backend_invalid: {
    status: 500,
    message: "The backend file has {count} problem(s):\n{problems}",
    explanation:
      "The backend is refused at start, so that no request meets a half-meant schema. Each problem names its place and the mend.",
  },
} as const;

export const failSchema = defineErrors(schemaErrors);

/** One thing that is wrong with the backend file. */
export interface Problem {
  /** As in `films.access.update` or `films.fields.director`. */
  readonly place: string;
  readonly problem: string;
  readonly mend: string;
}

/** Gathers problems, so that all are told at once. */
export interface Problems {
  add(place: string, problem: string, mend: string): void;
  readonly found: readonly Problem[];
}

export function createProblems(): Problems {
  const found: Problem[] = [];
  return { found, add: (place, problem, mend) => void found.push({ place, problem, mend }) };
}

/** The error that refuses a backend with these problems. */
export function problemsError(found: readonly Problem[]): AppError {
  const lines = found.map(({ place, problem, mend }) => `  ${place}: ${problem}\n      → ${mend}`);
  const errors = found.map(({ place, problem, mend }) => ({
    pointer: place,
    code: "backend_invalid",
    message: `${problem} ${mend}`,
  }));
  return failSchema("backend_invalid", { fields: { count: found.length, problems: lines.join("\n") }, errors });
}
