/** Bytes, as base64 (RFC 4648, section 4, padded) on the wire. */
import type { FieldParams } from "../schema.ts";
import type { Value } from "../value.ts";
import { equality, type FieldType, misfit } from "./field-type.ts";

/** What a bytes field may hold where the model says nothing. */
export const bytesMax = 65_536;

const pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const bytesType: FieldType = Object.freeze<FieldType>({
  name: "bytes",
  storage: "bytes",
  parse(value: unknown, params: FieldParams) {
    const bytes =
      value instanceof Uint8Array
        ? value
        : typeof value === "string" && pattern.test(value)
          ? Buffer.from(value, "base64")
          : null;
    if (!bytes) return misfit("format", "must be base64 with padding");
    const max = Number(params.max ?? bytesMax);
    if (bytes.length > max) return misfit("max", `must have at most ${max} bytes`);
    if (params.min !== undefined && bytes.length < Number(params.min))
      return misfit("min", `must have at least ${params.min} bytes`);
    return bytes;
  },
  toWire: (value: Value) => Buffer.from(value as Uint8Array).toString("base64"),
  operators: equality,
  ordered: false,
  numeric: false,
  jsonSchema: () => ({ type: "string", contentEncoding: "base64" }),
});
