/** One of a declared list of texts. */
import type { FieldParams } from "../schema.ts";
import { type FieldType, misfit, ordering } from "./field-type.ts";

export const choiceType: FieldType = Object.freeze<FieldType>({
  name: "choice",
  storage: "text",
  parse(value: unknown, params: FieldParams) {
    const choices = params.choices ?? [];
    if (typeof value === "string" && choices.includes(value)) return value;
    return misfit("choice", `must be one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`);
  },
  operators: ordering,
  ordered: true,
  numeric: false,
  jsonSchema: (params: FieldParams) => ({ type: "string", enum: [...(params.choices ?? [])] }),
});
