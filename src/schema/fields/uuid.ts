/** UUIDs of any version (RFC 9562), kept in lower case. */
import { type FieldType, misfit, ordering } from "./field-type.ts";

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const uuidType: FieldType = Object.freeze<FieldType>({
  name: "uuid",
  storage: "uuid",
  parse: (value: unknown) =>
    typeof value === "string" && pattern.test(value) ? value.toLowerCase() : misfit("format", "must be a UUID"),
  operators: ordering,
  ordered: true,
  numeric: false,
  jsonSchema: () => ({ type: "string", format: "uuid" }),
});
