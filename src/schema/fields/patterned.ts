/** Makes a field type that is a text of a fixed form, from the form. */
import type { FieldParams } from "../schema.ts";
import type { Json } from "../value.ts";
import { type FieldType, isMisfit, misfit, textual } from "./field-type.ts";
import { parseText } from "./text.ts";

export interface Form {
  readonly name: string;
  /** Longest text where the model says nothing, in code points. */
  readonly max: number;
  /** Tells the caller what is expected. */
  readonly wrong: string;
  readonly fits: (text: string) => boolean;
  readonly schema: { readonly [key: string]: Json };
}

export function definePatterned(form: Form): FieldType {
  return Object.freeze<FieldType>({
    name: form.name,
    storage: "text",
    parse(value: unknown, params: FieldParams) {
      const text = parseText(value, { ...params, max: params.max ?? form.max });
      return isMisfit(text) || form.fits(text) ? text : misfit("format", form.wrong);
    },
    operators: textual,
    ordered: true,
    numeric: false,
    jsonSchema: (params: FieldParams) => ({ type: "string", maxLength: Number(params.max ?? form.max), ...form.schema }),
  });
}
