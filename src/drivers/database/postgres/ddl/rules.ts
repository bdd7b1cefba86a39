/** What a reference does on delete and update, as PostgreSQL's definitions say it; nothing where it does nothing. */

const action = (letter: string) =>
  `case ${letter} when 'r' then 'RESTRICT' when 'c' then 'CASCADE' when 'n' then 'SET NULL' when 'd' then 'SET DEFAULT' end`;
/** SQL over a row of pg_constraint. */
export const ruleText = (k: string) =>
  `coalesce(' ON DELETE ' || ${action(`${k}.confdeltype`)}, '') || coalesce(' ON UPDATE ' || ${action(`${k}.confupdtype`)}, '')`;
