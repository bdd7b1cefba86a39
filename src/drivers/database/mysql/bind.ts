/** Parameters in the types of the columns that they meet: beside a number a text would be compared as a double. */
import type { Storage } from "../../../schema/fields/field-type.ts";
import type { Form } from "../../dialect.ts";

export function bind({ storage, scale }: Form, parameter: string): string {
  const bound = bindStored(storage, parameter);
  return storage === "decimal" && scale > 0 ? `(${bound} * 0.${"0".repeat(scale - 1)}1)` : bound;
}

/** The same, a decimal as its whole units. */
export function bindStored(storage: Storage, parameter: string): string {
  switch (storage) {
    case "datetime":
      return `cast(left(${parameter}, 23) as datetime(3))`;
    case "date":
    case "time":
      return `cast(${parameter} as ${storage})`;
    case "integer":
    case "bigint":
    case "boolean":
    case "decimal":
      return `cast(${parameter} as signed)`;
    case "real":
      return `cast(${parameter} as double)`;
    default:
      return parameter;
  }
}
