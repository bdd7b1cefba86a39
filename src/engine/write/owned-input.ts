/** Reads what an update says of owned rows: which are created, changed and deleted along with their owner. */
import type { Issue } from "../../base/errors.ts";
import type { Model, Relation } from "../../schema/schema.ts";
import type { Data } from "../call.ts";
import type { Collecting, Input } from "./input.ts";

/** What becomes of the rows of one owned relation. */
export interface OwnedChanges {
  readonly relation: Relation;
  readonly create: readonly Input[];
  readonly update: readonly { readonly id: string; readonly input: Input }[];
  /** `pointer` is the place of the id. */
  readonly delete: readonly { readonly id: string; readonly pointer: string }[];
}

type Collect = (model: Model, data: Data, context: Collecting) => Input;
type Owning = Collecting & { readonly relation: Relation };

const words: ReadonlySet<string> = new Set(["create", "update", "delete"]);

/** `{ create: [{ … }], update: [{ id, … }], delete: [id] }`, each of them where it is wanted. */
export function readOwned(given: unknown, context: Owning, collect: Collect): OwnedChanges {
  const { relation, view, faults, pointer } = context;
  const target = view.target(relation);
  const lists = listsOf(given, context);
  const at = (word: string, index: number) => `${pointer}/${word}/${index}`;
  const nested = (word: "create" | "update", index: number): Collecting => ({ ...context, mode: word, pointer: at(word, index) });
  const skip = relation.inverseOf ?? "";
  return {
    relation,
    create: lists.create.map((row, index) => {
      const inner = nested("create", index);
      return collect(target, withoutParent(row, { ...inner, skip }), inner);
    }),
    update: lists.update.map((row, index) => {
      const inner = nested("update", index);
      const { id, ...data } = typeof row === "object" && row !== null && !Array.isArray(row) ? (row as Data) : {};
      const input = collect(target, withoutParent(data, { ...inner, skip }), inner);
      return { id: idOf(id, { pointer: `${inner.pointer}/id`, faults }), input };
    }),
    delete: lists.delete.map((id, index) => {
      const place = at("delete", index);
      return { id: idOf(id, { pointer: place, faults }), pointer: place };
    }),
  };
}

type Lists = Readonly<Record<"create" | "update" | "delete", readonly unknown[]>>;

const noLists: Lists = Object.freeze({ create: [], update: [], delete: [] });

function listsOf(given: unknown, { faults, pointer, ownedRows, batchMax }: Owning): Lists {
  const report = (at: string, code: string, message: string) => void faults.push({ pointer: at, code, message });
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    report(pointer, "type", "Must be an object of create, update and delete.");
    return noLists;
  }
  const lists: Record<string, readonly unknown[]> = { ...noLists };
  for (const [word, list] of Object.entries(given)) {
    const at = `${pointer}/${word.slice(0, 64)}`;
    if (list === undefined) continue;
    if (!words.has(word)) report(at, "unknown_field", "Owned rows are changed by create, update and delete.");
    else if (!Array.isArray(list)) report(at, "type", "Must be a list.");
    else if ((ownedRows.count += list.length) > batchMax) report(at, "max", `Must have at most ${batchMax} rows in all.`);
    else lists[word] = list;
  }
  return lists as Lists;
}

function idOf(id: unknown, { pointer, faults }: { readonly pointer: string; readonly faults: Issue[] }): string {
  if (typeof id === "string" || typeof id === "number") return String(id);
  const message = "It is named by its id.";
  faults.push(id === undefined ? { pointer, code: "required", message } : { pointer, code: "type", message });
  return "";
}

/** A nested row's data: what leads to its parent is not its own to say. */
export function withoutParent(
  row: unknown,
  { skip, pointer, faults }: Pick<Collecting, "pointer" | "faults"> & { readonly skip: string },
): Data {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return row as Data;
  const { [skip]: parent, ...rest } = row as Data;
  if (parent !== undefined)
    faults.push({ pointer: `${pointer}/${skip}`, code: "read_only", message: "It is the row that it is nested in." });
  return rest;
}
