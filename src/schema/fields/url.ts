/** Absolute URLs; http and https only, which is what a page may link to without harm. */
import type { FieldType } from "./field-type.ts";
import { definePatterned } from "./patterned.ts";

export const urlType: FieldType = definePatterned({
  name: "url",
  max: 2048,
  wrong: "must be an absolute http or https URL",
  fits: (text) => /^https?:\/\/[^\s]+$/i.test(text) && URL.canParse(text),
  schema: { format: "uri" },
});
