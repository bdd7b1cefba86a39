/** Refusals by the backend's own code: from within an action or a hook, to be answered to the caller as they are. */
import { AppError } from "../../base/errors.ts";

/** How a refusal is answered. */
export interface RefuseOptions {
  /** The HTTP status. @default 422 */
  readonly status?: number;
  /** What of the action's input, or of the hook's data, is meant: a JSON pointer into it, such as `/lines/0/quantity`. @default none */
  readonly pointer?: string;
}

/** Refusals whose pointers still lead into the input, wherever that stands in the call. */
const unplaced = new WeakSet<AppError>();

/** Refuses from within an action or hook: the caller gets this status, code and sentence. */
export function refuse(code: string, message: string, options: RefuseOptions = {}): AppError {
  const error = createRefusal(code, message, options);
  unplaced.add(error);
  return error;
}

function createRefusal(code: string, message: string, { status = 422, pointer }: RefuseOptions): AppError {
  const explanation = "The backend's own code refused this; its documentation says when.";
  const errors = pointer === undefined ? [] : [{ pointer, code, message }];
  return new AppError(code, { status, message, explanation }, { errors });
}

/** Runs the backend's code on an input that stands at `pointer` in the call: a refusal's own pointer goes on from there. */
export async function runPlaced<T>(pointer: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof AppError) || !unplaced.has(error)) throw error;
    const inner = error.errors[0]?.pointer;
    throw createRefusal(error.code, error.message, {
      status: error.status,
      ...(inner === undefined ? {} : { pointer: `${pointer}${inner}` }),
    });
  }
}
