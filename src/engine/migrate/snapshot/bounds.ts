/** Bounds of texts in keys and indexes, for databases that have such: what a column is declared with, and how far an index holds it. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { Field, Index, Model } from "../../../schema/schema.ts";
import { failMigrate } from "../errors.ts";

export interface Bounds {
  /** To be spread into a column's shape. */
  column(field: Field): { readonly length?: number };
  /** To be spread into a column of an index. */
  prefix(index: Index, column: string): { readonly prefix?: number };
}

const none: Bounds = Object.freeze<Bounds>({ column: () => ({}), prefix: () => ({}) });

/** Characters of all texts of a key or index: InnoDB's 3072 bytes hold so many of four bytes. */
export const keyCharactersMax = 768;
// Beside the texts an index may hold other columns, and ends with the key.
const indexCharactersMax = 700;
const prefixMax = 191;
/** Choices are bounded by what none is likely to outgrow, so that a new one alters no column. */
const choiceLength = 255;

/**
 * A text that a key, a reference or an index of short texts holds is declared with its bound; every other one is not, so that
 * a change of max() changes no table. An index of long texts holds the beginning of each; a unique one compares all of them.
 * @throws AppError `key_too_long`
 */
export function boundsOf(model: Model, { forms: { boundsTexts } }: Pick<Ddl, "forms">): Bounds {
  if (!boundsTexts) return none;
  const byColumn = new Map([...model.fields.values()].map((field) => [field.column, field]));
  const key = model.key.reduce((sum, field) => sum + (lengthOf(field) ?? 0), 0);
  if (key > keyCharactersMax)
    throw failMigrate("key_too_long", { fields: { model: model.name, length: key, max: keyCharactersMax } });
  for (const field of model.fields.values()) checkReference(field);
  const held = new Set<Field>([...model.key, ...[...model.fields.values()].flatMap(partsOf)]);
  for (const index of model.indexes) {
    const fields = index.columns.flatMap(({ column }) => byColumn.get(column) ?? []);
    if (isShort(fields)) for (const field of fields) held.add(field);
  }
  return Object.freeze<Bounds>({
    column(field) {
      const length = held.has(field) ? lengthOf(field) : null;
      return length === null ? {} : { length };
    },
    prefix({ columns, unique }, column) {
      const fields = columns.flatMap((one) => byColumn.get(one.column) ?? []);
      const length = lengthOf(byColumn.get(column));
      if (unique || length === null || length <= prefixMax || isShort(fields)) return {};
      return { prefix: Math.min(prefixMax, Math.floor(indexCharactersMax / fields.length)) };
    },
  });
}

/** What a reference holds stands in an index too; a column that is a field of its own as well may be longer than the key. */
function checkReference(field: Field): void {
  const length = partsOf(field).reduce((sum, part) => sum + (lengthOf(part) ?? 0), 0);
  if (length <= keyCharactersMax) return;
  throw failMigrate("key_too_long", { fields: { model: `${field.model}.${field.name}`, length, max: keyCharactersMax } });
}

/** The columns of a reference. */
function partsOf(field: Field): readonly Field[] {
  return field.relation ? (field.parts ?? [field]) : [];
}

function isShort(fields: readonly Field[]): boolean {
  return fields.reduce((sum, field) => sum + (lengthOf(field) ?? 0), 0) <= indexCharactersMax;
}

/** The most code points that a text may have; null where it is none. */
function lengthOf(field: Field | undefined): number | null {
  // What somebody else has declared says its bound itself.
  if (field?.type.storage !== "text" || field.native !== null) return null;
  const { maxLength, enum: choices } = field.type.jsonSchema(field.params);
  if (typeof maxLength === "number") return maxLength;
  return Array.isArray(choices) ? Math.max(choiceLength, ...choices.map((choice) => String(choice as string).length)) : null;
}
