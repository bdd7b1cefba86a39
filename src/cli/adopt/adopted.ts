/** What an adopted database is as a backend: models with their fields and relations, and what was left out and why. Data alone. */
import type { CatalogColumn, CatalogReference, CatalogTable } from "../../drivers/catalog.ts";

export interface AdoptedField {
  readonly kind: "field";
  readonly name: string;
  readonly column: CatalogColumn;
  readonly unique: boolean;
}

/** A foreign key, under the relation's name. */
export interface AdoptedKey {
  readonly kind: "belongsTo";
  readonly name: string;
  /** In the order of the key that they lead to. */
  readonly columns: readonly CatalogColumn[];
  /** Types of the columns of that key. */
  readonly natives: readonly string[];
  readonly unique: boolean;
  readonly reference: CatalogReference;
  /** The model it leads to. */
  readonly target: string;
  /** What the other model calls its rows of this one. */
  readonly inverse: string;
}

/** Rows that a join table links. */
export interface AdoptedLink {
  readonly kind: "manyToMany";
  readonly name: string;
  readonly target: string;
  readonly through: string;
  readonly from: string;
  readonly to: string;
}

export type AdoptedMember = AdoptedField | AdoptedKey | AdoptedLink;

export interface AdoptedModel {
  readonly name: string;
  readonly table: CatalogTable;
  readonly members: readonly AdoptedMember[];
  /** Names of the key's fields; null where rows have none, and the model is read only. */
  readonly key: readonly string[] | null;
  /** Sets of several fields that are unique together, and fields that an index begins with. */
  readonly uniques: readonly (readonly string[])[];
  readonly indexes: readonly (readonly string[])[];
  /** Columns that no field stands for. */
  readonly without: readonly string[];
}

/** Something that a person should know: of what, and what. */
export interface Remark {
  /** `Album`, `Album.Title`. */
  readonly place: string;
  /** `left out`: it is not served. `note`: it is, and not quite as one may think. */
  readonly kind: "left out" | "note";
  readonly why: string;
}

export interface Adopted {
  readonly models: readonly AdoptedModel[];
  readonly remarks: readonly Remark[];
}
