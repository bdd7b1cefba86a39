/** The form in which a field's values are held, and what follows from it: bound parameters, JSON, columns in reach. */
import type { Dialect, Form } from "../../drivers/dialect.ts";
import type { FieldParams, Field } from "../../schema/schema.ts";
import type { FieldType, Storage } from "../../schema/fields/field-type.ts";

/** What a form follows from: a field, or something declared inside a document. */
export interface Typed {
  readonly type: FieldType;
  readonly params: FieldParams;
}

/** The form of a storage of which no more is known. */
export function plainForm(storage: Storage, scale = 0): Form {
  return { storage, scale, isRequired: false, isPlain: false, isColumn: false, native: null };
}

/** The form of values of that type, wherever they come from. */
export function formOf({ type, params }: Typed): Form {
  return plainForm(type.storage, params.scale ?? 0);
}

const stored = new WeakMap<Field, Form>();

/** The form of the column itself, of which the field's bounds hold. */
export function columnForm(field: Field): Form {
  const known = stored.get(field);
  if (known) return known;
  const { optional, params } = field;
  const isPlain = !optional && params.min !== undefined && Number(params.min) >= 0;
  const isColumn = field.column !== "";
  const form: Form = Object.freeze({ ...formOf(field), isRequired: !optional, isPlain, isColumn, native: field.native });
  stored.set(field, form);
  return form;
}

/** The form of what an expression makes of the column: null and other digits may occur. */
export function looseForm(field: Field): Form {
  return { ...columnForm(field), isRequired: false, isPlain: false, isColumn: false };
}

/** A parameter as the field's column holds it. */
export function bindTo(field: Field, parameter: string, dialect: Dialect): string {
  return dialect.bind(columnForm(field), parameter);
}

/** A parameter that is a text. */
export function bindText(parameter: string, dialect: Dialect): string {
  return dialect.bind(plainForm("text"), parameter);
}
