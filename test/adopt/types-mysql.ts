/** The schema of many types as MySQL has it: JSON is a type, there is none for UUIDs and addresses, and defaults may be expressions. */
import type { TypesOf } from "./types.ts";
import { mariadbTypes } from "./types-mariadb.ts";

function replaced(text: string, ...changes: readonly (readonly [from: string, to: string])[]): string {
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${from} is not in ${text}`);
    text = text.replace(from, to);
  }
  return text;
}

const own = `
CREATE TABLE note (id int AUTO_INCREMENT PRIMARY KEY, said varchar(40) NOT NULL DEFAULT 'it''s', wordy text DEFAULT ('a "b" \\\\ it''s'), two int DEFAULT (1 + 1), hidden int INVISIBLE,
  kind varchar(9) CHECK (kind IN ('it''s', '\\\\')), loud varchar(40) AS (concat(said, '''!')) VIRTUAL, seen int CHECK (seen < 0) NOT ENFORCED, doc json NOT NULL, at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE KEY by_lower ((lower(said)), kind), KEY whole (said) INVISIBLE);
CREATE VIEW shown AS SELECT id, doc, concat(said, '?') AS asked FROM note;
`;

export const mysqlTypes: TypesOf = {
  ...mariadbTypes,
  product: "mysql",
  sql: `${replaced(mariadbTypes.sql, ["doc json DEFAULT '{}'", "doc json DEFAULT ('{}')"], ["uid uuid DEFAULT uuid(), address inet6", "uid char(36) DEFAULT (uuid()), address varchar(45)"])}${own}`,
  lines: [
    ...mariadbTypes.lines.filter((line) => !/^(id|small|uid|doc): /.test(line)),
    'id: serial().column("Id", "bigint unsigned")',
    'small: integer().min(0).optional().column("small", "smallint unsigned")',
    'uid: text().max(36).optional().default(byDatabase).column("uid", "char(36)")',
    'doc: json().optional().default(byDatabase).column("doc", "json")',
    'said: text().max(40).default("it\'s").column("said", "varchar(40)")',
    'wordy: text().optional().default("a \\"b\\" \\\\ it\'s").column("wordy", "text")',
    'two: integer().optional().default(byDatabase).column("two", "int")',
    'kind: choice("it\'s", "\\\\").optional()',
    'loud: text().max(40).optional().readOnly().default(byDatabase).column("loud", "varchar(40)")',
    'seen: integer().optional().column("seen", "int")',
    'doc: json().column("doc", "json")',
  ],
  remarks: [...mariadbTypes.remarks.slice(0, 3), /Person: the database alone judges CHECK \(length/],
};
