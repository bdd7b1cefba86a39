/** How MariaDB's dialect looks into JSON documents, which are kept as the texts that they came as. */
import type { Documents } from "../../../dialect.ts";
import { bind } from "../bind.ts";
import { type Place, readValue } from "../documents.ts";

const numbers = "'INTEGER', 'DOUBLE'";

export function createMariadbDocuments(collation: string): Documents {
  return Object.freeze<Documents>({
    read: (document, path, as) => read(document, { path, as, collation }),
    bind: (as, form, parameter) => (as === "document" || as === "scalar" || as === "json" ? parameter : bind(form, parameter)),
    compare: (left, sign, right) => compare(left, { sign, right, collation }),
    // Of a row that an outer join has not found, the server looks into an empty text.
    holds: (list, parameter) =>
      `exists (select 1 from json_table(coalesce(nullif(${list}, ''), '[]'), '$[*]' columns (v json path '$')) e where e.v = (${parameter}) collate ${collation})`,
  });
}

function read(document: string, { path, as, collation }: Place): string {
  const found = `json_extract(${document}, ${path})`;
  // Of what is JSON to the server, it would compare the text within; and it writes spaces between its parts.
  const value = `(concat(json_compact(${found})) collate ${collation})`;
  const text = `(json_value(${document}, ${path}) collate ${collation})`;
  const only = (types: string, sql: string) => `case when json_type(${found}) in (${types}) then ${sql} end`;
  switch (as) {
    case "document":
      return value;
    case "scalar":
      return only(`'STRING', ${numbers}`, value);
    case "json":
      return `nullif(${value}, 'null')`;
    default:
      return readValue(as, { text, isTrue: `${value} = 'true'`, numbers, only });
  }
}

interface Other {
  readonly sign: string;
  readonly right: string;
  readonly collation: string;
}

function compare(left: string, { sign, right, collation }: Other): string {
  const both = (types: string) => `json_type(${left}) in (${types}) and json_type(${right}) in (${types})`;
  const text = (sql: string) => `json_unquote(${sql}) collate ${collation}`;
  const real = `cast(${left} as double) ${sign} cast(${right} as double)`;
  return `case when ${both("'STRING'")} then ${text(left)} ${sign} ${text(right)} when ${both(numbers)} then ${real} else false end`;
}
