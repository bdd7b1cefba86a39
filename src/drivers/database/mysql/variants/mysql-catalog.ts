/** How MySQL's catalogue says what was written in a definition: an expression with its quotes escaped, and a constant without any. */
import { toStandard } from "../catalog/words.ts";
import { literal } from "../text.ts";
import type { CatalogWords } from "./variant.ts";

// A constraint that is not enforced says nothing of the rows.
const checks = `select t.table_name, t.constraint_name, c.check_clause, 0 of_column from information_schema.table_constraints t
join information_schema.check_constraints c on c.constraint_schema = t.constraint_schema and c.constraint_name = t.constraint_name
where t.constraint_schema = database() and t.constraint_type = 'CHECK' and t.enforced = 'YES'`;

const letters: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r", t: "\t", Z: "\u001a" };

/** An expression, whose texts have been escaped as a text within a text is. */
function condition(said: string): string {
  return withoutParentheses(toStandard(unescaped(said)));
}

const parts = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|[()]/g;

/** Without those around the whole. */
function withoutParentheses(sql: string): string {
  if (!sql.startsWith("(")) return sql;
  let depth = 0;
  for (const { 0: part, index } of sql.matchAll(parts)) {
    depth += part === "(" ? 1 : part === ")" ? -1 : 0;
    if (depth === 0) return part === ")" && index === sql.length - 1 ? sql.slice(1, -1) : sql;
  }
  return sql;
}

function unescaped(said: string): string {
  return said.replace(/\\([\s\S])/g, (_, letter: string) => letters[letter] ?? letter);
}

const bare = /^(?:(?:tiny|small|medium|big)?int|decimal|float|double|bit|year|(?:var)?binary)\b/;

const now = /^current_timestamp(\(\d?\))?$/i;

export const mysqlCatalog: CatalogWords = Object.freeze<CatalogWords>({
  checks,
  condition,
  fill(said, { type, extra }) {
    if (said === null) return null;
    const isExpression = extra.includes("DEFAULT_GENERATED") && !now.test(said);
    const sql = isExpression ? condition(said) : bare.test(type) || now.test(said) ? said : literal(said);
    return { sql, written: isExpression ? `(${sql})` : sql };
  },
});
