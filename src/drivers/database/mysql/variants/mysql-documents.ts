/** How MySQL looks into JSON documents, which are kept as the texts that they came as: it reads them as JSON of its own. */
import type { Documents, Form, Inside } from "../../../dialect.ts";
import { bind } from "../bind.ts";
import { type Place, readValue } from "../documents.ts";

const numbers = "'INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'";

const json = (sql: string) => `cast(${sql} as json)`;
/** JSON in the server's own words, which are the same for the same value. */
const spelt = (sql: string, collation: string) => `(cast(${sql} as char) collate ${collation})`;

export function createMysqlDocuments(collation: string): Documents {
  return Object.freeze<Documents>({
    read: (document, path, as) => read(document, { path, as, collation }),
    bind(as: Inside, form: Form, parameter: string): string {
      if (as === "document" || as === "json") return spelt(json(parameter), collation);
      return as === "scalar" ? json(parameter) : bind(form, parameter);
    },
    compare(left, sign, right) {
      const both = (types: string) => `${isOf(left, types, collation)} and ${isOf(right, types, collation)}`;
      const text = (sql: string) => `(json_unquote(${sql}) collate ${collation})`;
      const real = (sql: string) => `cast(${sql} as double)`;
      return `case when ${both("'STRING'")} then ${text(left)} ${sign} ${text(right)} when ${both(numbers)} then ${real(left)} ${sign} ${real(right)} else false end`;
    },
    holds: (list, parameter) => `(${json(parameter)} member of (${list}) is true)`,
  });
}

// What JSON functions answer is neither more nor less binding than a text of the statement, and collated otherwise.
function isOf(found: string, types: string, collation: string): string {
  return `json_type(${found}) collate ${collation} in (${types})`;
}

function read(document: string, { path, as, collation }: Place): string {
  const found = `json_extract(${document}, ${path})`;
  const text = `(json_unquote(${found}) collate ${collation})`;
  const only = (types: string, sql: string) => `case when ${isOf(found, types, collation)} then ${sql} end`;
  switch (as) {
    case "document":
      return spelt(found, collation);
    case "scalar":
      return only(`'STRING', ${numbers}`, found);
    case "json":
      return `case when json_type(${found}) collate ${collation} <> 'NULL' then ${spelt(found, collation)} end`;
    default:
      return readValue(as, { text, isTrue: `${text} = 'true'`, numbers, only });
  }
}
