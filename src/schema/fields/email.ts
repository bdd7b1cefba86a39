/** E-mail addresses, in the form that HTML gives for `<input type=email>`, with a dot required in the domain. */
import type { FieldType } from "./field-type.ts";
import { definePatterned } from "./patterned.ts";

const pattern = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,63}$/;

export const emailType: FieldType = definePatterned({
  name: "email",
  max: 254,
  wrong: "must be an e-mail address",
  fits: (text) => pattern.test(text),
  schema: { format: "email" },
});
