/** Slugs: lower-case letters and digits, in words joined by single hyphens. */
import type { FieldType } from "./field-type.ts";
import { definePatterned } from "./patterned.ts";

const pattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

export const slugType: FieldType = definePatterned({
  name: "slug",
  max: 200,
  wrong: "must be lower-case letters, digits and single hyphens",
  fits: (text) => pattern.test(text),
  schema: { pattern: pattern.source },
});
