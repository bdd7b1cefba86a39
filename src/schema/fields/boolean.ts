/** True or false; stored as 1 or 0 where the database has no booleans. */
import type { Value } from "../value.ts";
import { equality, type FieldType, misfit } from "./field-type.ts";

const wrong = misfit("type", "must be true or false");

export const booleanType: FieldType = Object.freeze<FieldType>({
  name: "boolean",
  storage: "boolean",
  parse: (value: unknown) => (value === true ? 1 : value === false ? 0 : wrong),
  fromText: (text: string) => (text === "true" ? true : text === "false" ? false : wrong),
  toWire: (value: Value) => value === 1,
  operators: equality,
  ordered: true,
  numeric: false,
  jsonSchema: () => ({ type: "boolean" }),
});
