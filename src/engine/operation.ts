/** The unit that every protocol projects: a name, a kind, an input, an output and who may call it. */
import type { Filter } from "../schema/filter.ts";
import type { DocumentField, Model } from "../schema/schema.ts";

export type OperationKind = "read" | "write" | "stream";

/** What a model gives; bulk forms are operations of their own. */
export const modelOperations = [
  "list",
  "get",
  "aggregate",
  "create",
  "createMany",
  "update",
  "put",
  "upsert",
  "delete",
  "restore",
  "updateMany",
  "deleteMany",
] as const;
export type ModelOperation = (typeof modelOperations)[number];

/** An operation of a model (`films.list`), or an action of the backend (`checkout`). */
export type Operation =
  | {
      readonly name: string;
      readonly kind: OperationKind;
      readonly of: "model";
      readonly model: Model;
      readonly action: ModelOperation;
    }
  | {
      readonly name: string;
      readonly kind: "read" | "write";
      readonly of: "action";
      /** Fields of the input; null where a Standard Schema checks it. */
      readonly input: ReadonlyMap<string, DocumentField> | null;
      /** Fields of the output; null where it is any JSON. */
      readonly output: ReadonlyMap<string, DocumentField> | null;
      readonly access: Filter;
      readonly summary: string;
    };
