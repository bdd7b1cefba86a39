/** How columns of adopted PostgreSQL tables hold values, and how those are turned into the types of the product's own columns and back. */
import type { Form } from "../../../dialect.ts";

/** Types that are texts by another name: the same in every comparison. */
const plainTexts = /^(text|character varying|character|name|varchar|bpchar|char)\b/;

/** Whether the type, of a choice, is one that somebody has made. */
export function isMade(native: string): boolean {
  return !plainTexts.test(native) && native !== "citext";
}

/** A column's value as the product's own columns hold it. */
export function readNative({ storage, native }: Form, sql: string): string {
  if (native === null) return sql;
  switch (storage) {
    case "text":
      // An enum, an address, or a text that is padded.
      return native === "text" ? sql : `(${sql})::text`;
    case "datetime":
      // Without a zone it is taken for UTC.
      return native.endsWith("with time zone") ? sql : `timezone('UTC', ${sql})`;
    case "real":
      // The shortest text of four bytes is another number than their value in eight.
      return native === "real" ? `((${sql})::text)::double precision` : `(${sql})::double precision`;
    default:
      return sql;
  }
}

/** A value of the product's own type as the column holds it. */
export function bindNative({ storage, native }: Form, sql: string): string {
  if (native === null) return sql;
  switch (storage) {
    case "text":
      return plainTexts.test(native) ? sql : `(${sql})::${native}`;
    case "datetime":
      return native.endsWith("with time zone") ? sql : `timezone('UTC', ${sql})`;
    case "real":
      return native === "real" ? `(${sql})::real` : sql;
    case "json":
      return native === "jsonb" ? `(${sql})::jsonb` : sql;
    default:
      return sql;
  }
}
