/** The text of a large backend file: many models with ten relations each, and a rule and a query for every one. */

// Three relations with an inverse, which are six for two models; two that hold a key; two to many.
function modelText(at: (index: number) => string, index: number): string {
  const own = [1, 2, 3].map(
    (step) => `  get to${step}() { return belongsTo(() => ${at(index + step)}, { inverse: "from${step}" }).optional(); },`,
  );
  const keys = [4, 5].map((step) => `  get to${step}() { return belongsTo(() => ${at(index + step)}); },`);
  const back = [4, 5].map((step) => `  get many${step}() { return hasMany(() => ${at(index - step)}, { by: "to${step}" }); },`);
  const fields = `title: text(), note: text().optional(), count: integer(), price: decimal(8, 2), kind: choice("a", "b"), at: datetime().optional(),`;
  return [
    `export const ${at(index)} = model("${at(index)}", {`,
    `  ${fields}`,
    ...own,
    ...keys,
    ...back,
    `}).timestamps().access(({ row, me }) => ({ read: or(row.title.eq(me.id), row.to1.to2.title.eq("x"), row.many4.some((one) => one.to5.count.gt(1))) }));`,
  ].join("\n");
}

function queryText(at: (index: number) => string, index: number): string {
  const name = at(index);
  return `export const q${index} = async (): Promise<string | undefined> => (await db.${name}.list({
  where: { title: { contains: "x" }, to1: { count: { gt: 1 } }, from1: { some: { title: "x" } } }, orderBy: ["-price", "to1.title"],
  select: { title: true, to4: { title: true, many4: { title: true, from2: { note: true, $limit: 2 } } } },
})).data[0]?.to4.many4[0]?.title;`;
}

/** @param entry the module that declares come from */
export function largeBackend(models: number, entry: string): string {
  const all = Array.from({ length: models }, (_, index) => index);
  const at = (index: number) => `m${(index + models) % models}`;
  return [
    `import { backend, belongsTo, choice, datetime, type Db, decimal, hasMany, integer, model, or, text } from ${JSON.stringify(entry)};`,
    ...all.map((index) => modelText(at, index)),
    `const all = { ${all.map(at).join(", ")} };`,
    "export const large = backend(all);",
    "declare const db: Db<typeof all>;",
    ...all.map((index) => queryText(at, index)),
  ].join("\n");
}
