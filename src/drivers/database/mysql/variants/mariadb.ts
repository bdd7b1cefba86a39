/** MariaDB, from 10.11 on. */
import type { Listed } from "../../../dialect.ts";
import { toStandard } from "../catalog/words.ts";
import { termInside } from "../sorting.ts";
import type { Gathered, Variant } from "./variant.ts";
import { createMariadbDocuments } from "./mariadb-documents.ts";

const collation = "utf8mb4_nopad_bin";

// A derived table cannot speak of the row around it, so the function itself sorts and cuts.
function gather({ object, from, order, limit }: Listed): Gathered {
  return { sql: `group_concat(${object} order by ${order.map(termInside).join(", ")} separator ',' limit ${limit})`, from };
}

export const mariadb: Variant = Object.freeze<Variant>({
  title: "MariaDB",
  oldest: [10, 11],
  collation,
  sessions: Object.freeze({
    modes: ["NO_BACKSLASH_ESCAPES", "SIMULTANEOUS_ASSIGNMENT"],
    settings: ["max_recursive_iterations = 4294967295"],
    limit: (timeoutMs: number) => `max_statement_time = ${timeoutMs / 1000}`,
    escaped: null,
    hasBlocks: true,
  }),
  routines: Object.freeze({
    replace: (name: string, definition: string) => [`create or replace function ${name}${definition}`],
    digits: (sql: string) => `cast(${sql} as char)`,
    group: "\\1",
    element: (list: string, index: string) => `json_value(${list}, '$[' || ${index} || ']')`,
    find: (characters: string) => ({ prepare: "", place: `regexp_instr(rest, '[${characters}]')`, mark: "" }),
  }),
  queries: Object.freeze({
    lastNumber: null,
    gather,
    documents: createMariadbDocuments(collation),
    locate: (part: string, whole: string) => `locate(${part}, ${whole})`,
  }),
  tables: Object.freeze({
    integer: "bigint(20)",
    // Kept by a hash of its own.
    longParts: null,
    expression: "null",
    constant: null,
    checksDocuments: true,
    dropChecks: null,
    spell: null,
  }),
  catalog: Object.freeze({
    checks:
      "select table_name, constraint_name, check_clause, level = 'Column' of_column from information_schema.check_constraints where constraint_schema = database()",
    condition: toStandard,
    fill(said: string | null) {
      if (said === null || said === "NULL") return null;
      const sql = toStandard(said);
      return { sql, written: `(${sql})` };
    },
  }),
});
