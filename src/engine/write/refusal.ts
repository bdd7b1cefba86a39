/** Turns a unit's refusal into the error the caller gets, telling nothing that the caller may not know. */
import type { UnitRefused } from "../../drivers/database.ts";
import type { Action, Model, Schema } from "../../schema/schema.ts";
import { tableIn } from "../../schema/table-name.ts";
import type { Value } from "../../schema/value.ts";
import type { Actor } from "../actor.ts";
import { badInput, fail } from "../errors.ts";
import { denied, type View } from "../guard.ts";

/** One row's share of a unit. */
export interface Part {
  readonly model: Model;
  /** Its first step. */
  readonly base: number;
  /** Its data's place in the call. */
  readonly pointer: string;
  readonly action: Action;
  /** A create's values, in the order of the model's stored fields. */
  readonly row: readonly Value[];
  /** The step that returns the number the database gave. */
  readonly serial: number | null;
}

interface Refusing {
  readonly view: View;
  readonly context: { readonly schema: Schema };
  readonly origin: { readonly actor: Actor };
  readonly pointer: string;
}

export function refusal(error: UnitRefused, parts: readonly Part[], { view, context, origin, pointer }: Refusing): Error {
  const part = parts.findLast(({ base }) => base <= error.step);
  const at = part?.pointer ?? pointer;
  const [reason, name] = error.reason.split(":");
  const fault = (code: string, message: string) => badInput([{ pointer: `${at}/${name}`, code, message }]);
  switch (reason) {
    case "not_found":
      return fail("not_found");
    case "forbidden":
      return denied(origin.actor);
    case "version":
      return fail("precondition_failed");
    case "reference":
      return fault("unknown_reference", "There is no such row.");
    case "write_once":
      return fault("write_once", "This field is set and does not change any more.");
    case "range":
      return fault("range", "The result would be out of bounds.");
    case "unique":
      return conflict(error, at, { view, schema: context.schema, cause: error });
    case "check":
    case "not_null":
      // Only a table of others knows more than the schema does.
      return badInput([{ pointer: at, code: "check", message: "The database has a condition that this row does not meet." }]);
    case "foreign_key":
      return part?.action === "delete" ? fail("still_referenced") : fail("write_conflict", { cause: error });
    default:
      return fail("write_conflict", { cause: error });
  }
}

function conflict(error: UnitRefused, pointer: string, at: { view: View; schema: Schema; cause: unknown }): Error {
  const named = [tableIn(error.schema, error.table ?? ""), error.table];
  const model = named
    .map((name) => [...at.schema.models.values()].find(({ table }) => table === name))
    .find((one) => one !== undefined);
  const fields = error.columns.map((column) => {
    const field = [...(model?.fields.values() ?? [])].find((one) => one.column === column);
    return field && model ? at.view.field(model, field.partOf ?? field.name) : undefined;
  });
  const known = [...new Set(fields)].filter((field) => field !== undefined);
  // A field that the caller may not read is not named.
  if (known.length === 0 || fields.includes(undefined))
    return fail("conflict", { fields: { fields: "values" }, cause: at.cause });
  const errors = known.map(({ name }) => ({
    pointer: `${pointer}/${name}`,
    code: "unique",
    message: "Another row has this value.",
  }));
  return fail("conflict", { fields: { fields: known.map(({ name }) => name).join(", ") }, errors, cause: at.cause });
}
