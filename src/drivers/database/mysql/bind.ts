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
      return `cast(${parameter} as date)`;
    case "time":
      return timeOf(parameter, 0);
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

/** A parameter alone would be of the type itself, and MySQL reads 12:00:00 as a day of 2012 first. */
export function timeOf(parameter: string, digits: 0 | 6): string {
  return `cast(concat(${parameter}) as time${digits === 0 ? "" : `(${digits})`})`;
}
