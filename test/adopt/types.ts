/** What a test of a product's types is made of. */
import type { Product } from "./databases.ts";

export interface TypesOf {
  readonly product: Product;
  readonly sql: string;
  /** Parts of the file that is written. */
  readonly lines: readonly string[];
  /** What the command says beside it. */
  readonly remarks: readonly RegExp[];
  /** A row of the model `people`, as it is given; its name is Ann. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly id: number;
  /** What is answered beside it, or otherwise. */
  readonly shown: Readonly<Record<string, unknown>>;
  /** Fields whose values only the database knows. */
  readonly made: readonly string[];
  /** A second row, whose name is Bob. */
  readonly bob: Readonly<Record<string, unknown>>;
  /** Fields that put nothing in order. */
  readonly unsorted: readonly string[];
  /** Each finds Ann alone. */
  readonly filters: readonly string[];
}
