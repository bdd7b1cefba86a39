/** Finds the place in a call of the value with a given number, for an error's pointer; walks as shape.ts does. */
import type { Call, Select, Where } from "../call.ts";
import { pointerPart, selectEntries } from "./shape.ts";

/** The JSON pointer of the value at `index` of the call's shape, after the parts of a key; or that of the whole call. */
export function pointerOf(call: Extract<Call, { op: "list" | "get" | "aggregate" }>, index: number): string {
  const pointers: string[] = [];
  if (call.op === "get") {
    if (call.select) walkSelect(call.select, "/select", pointers);
    return pointers[index] ?? "/id";
  }
  if (call.query.where) walkWhere(call.query.where, "/where", pointers);
  if (call.op === "aggregate" && call.query.having) walkWhere(call.query.having, "/having", pointers);
  if (call.op === "list" && call.query.select) walkSelect(call.query.select, "/select", pointers);
  return pointers[index] ?? "";
}

/** The same for a filter that stands alone. */
export function pointerInWhere(where: Where, index: number): string {
  const pointers: string[] = [];
  walkWhere(where, "/where", pointers);
  return pointers[index] ?? "/where";
}

function walkWhere(where: Where, pointer: string, pointers: string[]): void {
  for (const [name, value] of Object.entries(where)) {
    const at = `${pointer}/${pointerPart(name)}`;
    if (value === undefined || value === null || name === "isNull") continue;
    if (Array.isArray(value) && (name === "and" || name === "or")) {
      for (const [index, arm] of value.entries()) walkWhere(arm as Where, `${at}/${index}`, pointers);
    } else if (typeof value === "object" && !Array.isArray(value)) walkWhere(value as Where, at, pointers);
    else pointers.push(at);
  }
}

function walkSelect(select: Select, pointer: string, pointers: string[]): void {
  for (const [name, value] of selectEntries(select)) {
    if (name === "$where") walkWhere(value as Where, `${pointer}/$where`, pointers);
    else if (typeof value === "object" && value !== null && !name.startsWith("$"))
      walkSelect(value as Select, `${pointer}/${pointerPart(name)}`, pointers);
  }
}
