/** Lists of values of one type, kept as a JSON array; `contains` asks for an element. */
import type { FieldParams } from "../schema.ts";
import type { Json, Value } from "../value.ts";
import { type FieldType, isMisfit, type Misfit, misfit, wireOf } from "./field-type.ts";

/** Elements a list may have where the model says nothing. */
export const listMax = 1000;

export const listType: FieldType = Object.freeze<FieldType>({
  name: "list",
  storage: "json",
  parse(value: unknown, params: FieldParams) {
    if (!Array.isArray(value)) return misfit("type", "must be a list");
    const max = Number(params.max ?? listMax);
    if (value.length > max) return misfit("max", `must have at most ${max} elements`);
    if (params.min !== undefined && value.length < Number(params.min))
      return misfit("min", `must have at least ${params.min} elements`);
    const item = params.item as NonNullable<FieldParams["item"]>;
    const elements: Json[] = [];
    for (const [index, element] of value.entries()) {
      const parsed = element === null ? misfit("type", "must not be null") : item.type.parse(element, item.params);
      if (isMisfit(parsed)) return misfit(parsed.code, `element ${index} ${parsed.misfit}`);
      elements.push(wireOf(item, parsed));
    }
    return JSON.stringify(elements);
  },
  toWire: (value: Value) => JSON.parse(value as string) as Json,
  operators: ["contains", "isNull"],
  ordered: false,
  numeric: false,
  jsonSchema: (params: FieldParams) => ({
    type: "array",
    items: params.item ? params.item.type.jsonSchema(params.item.params) : {},
    ...(params.min === undefined ? {} : { minItems: Number(params.min) }),
    maxItems: Number(params.max ?? listMax),
  }),
});

/** What `contains` looks for: the JSON of the value, as it stands in the list. */
export function parseElement(value: unknown, item: NonNullable<FieldParams["item"]>): Value | Misfit {
  const parsed = item.type.parse(value, { ...item.params, min: undefined, max: undefined, pattern: undefined });
  return isMisfit(parsed) ? parsed : JSON.stringify(wireOf(item, parsed));
}
