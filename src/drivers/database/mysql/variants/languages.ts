/** What is spoken with each of the two servers. */
import type { Ddl } from "../../../ddl.ts";
import type { Dialect } from "../../../dialect.ts";
import { createDdl } from "../ddl.ts";
import { createDialect } from "../dialect.ts";
import type { Variant } from "./variant.ts";

export interface Languages {
  readonly dialect: Dialect;
  readonly ddl: Ddl;
}

/** The functions of the product stand in the database of that name, or in the database itself. */
export function languagesOf(variant: Variant, place: string | null): Languages {
  return { dialect: createDialect(variant, place), ddl: createDdl(variant) };
}
