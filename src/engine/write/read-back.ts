/** Reads a row back after a write of several steps, as its caller may read it. */
import { AppError } from "../../base/errors.ts";
import type { Model } from "../../schema/schema.ts";
import type { Returning } from "../call.ts";
import type { Writing } from "../context.ts";
import { read } from "../pipeline.ts";
import type { RowResult } from "./writing.ts";

interface Written {
  readonly model: Model;
  readonly id: string;
  readonly returning: Returning | undefined;
}

/** Null where the caller may not read it. */
export async function readBack(
  { model, id, returning }: Written,
  { context, session, origin, now, view }: Writing,
): Promise<RowResult | null> {
  if (view.rule(model, "read").op === "false") return null;
  const call = { op: "get", model: model.name, id, select: returning?.select } as const;
  try {
    const { result } = await read(call, origin.actor, { context, session, now });
    return result.kind === "row" ? result : null;
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found") return null;
    throw error;
  }
}
