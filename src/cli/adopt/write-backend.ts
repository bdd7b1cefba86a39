/** Writes a backend file of adopted models: as a person would, with the database's own names beside those of the file. */
import type { CatalogColumn, CatalogType } from "../../drivers/catalog.ts";
import { partsOfTable } from "../../schema/table-name.ts";
import type { Adopted, AdoptedMember, AdoptedModel } from "./adopted.ts";
import { findCircles } from "./circles.ts";

export interface WriteOptions {
  /** How the database is named in the file's first lines; without a password. */
  readonly database: string;
  /** The role that may read everything; null where nobody may do anything yet. */
  readonly readOnlyFor: string | null;
}

const widthMax = 120;

/** The text of the file. */
export function writeBackend({ models }: Adopted, options: WriteOptions): string {
  const circles = findCircles(models);
  const declared = models.map((model) => writeModel(model, { circles, ...options }));
  const names = models.map(({ name }) => name);
  const list = `{ ${names.join(", ")} }`;
  const registered = list.length + 24 > widthMax ? `{\n${names.map((name) => `  ${name},`).join("\n")}\n}` : list;
  const body = [...declared, `export default backend(${registered});`].join("\n\n");
  return `${opening(options)}\n${importsOf(body)}\n\n${body}\n`;
}

function opening({ database, readOnlyFor }: WriteOptions): string {
  const access =
    readOnlyFor === null
      ? "Nobody may do anything yet: give a model rules with .access(…)."
      : `Whoever has the role ${readOnlyFor} may read everything, and nobody may write.`;
  return `/**
 * The tables of ${comment(database)}, adopted as they are: \`.table()\` and \`.column()\` keep the database's own names and types,
 * and nothing in the database changes. ${comment(access)}
 * \`holdfast adopt --check\` tells when the database has moved on.
 */`;
}

function importsOf(body: string): string {
  const known =
    "backend belongsTo bigint boolean byDatabase bytes choice date datetime decimal float integer json manyToMany model now serial text time uuid".split(
      " ",
    );
  // Names in comments and texts do no harm: they would import what is there.
  const code = body.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const used = known.filter((name) =>
    name === "now" || name === "byDatabase" ? code.includes(`.default(${name})`) : new RegExp(`(?<![.\\w])${name}\\(`).test(code),
  );
  const line = `import { ${used.join(", ")} } from "holdfast";`;
  return line.length <= widthMax ? line : `import {\n${used.map((name) => `  ${name},`).join("\n")}\n} from "holdfast";`;
}

interface Writing extends WriteOptions {
  readonly circles: ReadonlySet<string>;
}

function writeModel(model: AdoptedModel, writing: Writing): string {
  const { name, table, members, key, uniques, indexes, without } = model;
  const lines = members.flatMap((member) => writeMember(member, model, writing));
  const { schema, name: own } = partsOfTable(table.name);
  const quoted = (names: readonly string[]) => names.map((one) => JSON.stringify(one)).join(", ");
  const calls = [
    `.table(${JSON.stringify(own)})`,
    ...(schema === null ? [] : [`.schema(${JSON.stringify(schema)})`]),
    key === null ? ".view()" : ".adopted()",
    ...(key === null ? [] : [`.key(${quoted(key)})`]),
    ...(without.length === 0 ? [] : [`.without(${quoted(without)})`]),
    ...uniques.map((fields) => `.unique(${quoted(fields)})`),
    ...indexes.map((fields) => `.index(${quoted(fields)})`),
    ...(writing.readOnlyFor === null ? [] : [`.access(({ me }) => ({ read: me.has(${JSON.stringify(writing.readOnlyFor)}) }))`]),
  ];
  const said = docs(table.comment, "");
  return `${said}export const ${name} = model(${JSON.stringify(name)}, {\n${lines.join("\n")}\n})\n${calls.map((call) => `  ${call}`).join("\n")};`;
}

function writeMember(member: AdoptedMember, { name: model }: AdoptedModel, { circles }: Writing): string[] {
  const isCircular = circles.has(`${model}.${member.name}`);
  const value = member.kind === "field" ? writeField(member) : member.kind === "belongsTo" ? writeKey(member) : writeLink(member);
  const comments = docs(commentOf(member), "  ");
  const before = comments === "" ? [] : [comments.trimEnd()];
  if (isCircular) return [...before, `  get ${member.name}() {`, ...fold(`    return ${value};`), "  },"];
  return [...before, ...fold(`  ${member.name}: ${value},`)];
}

function commentOf(member: AdoptedMember): string | null {
  if (member.kind === "manyToMany") return null;
  return (member.kind === "field" ? member.column : member.columns[0])?.comment ?? null;
}

// A long chain of calls goes on below its beginning.
function fold(line: string): string[] {
  if (line.length <= widthMax) return [line];
  const indent = `${/^ */.exec(line)?.[0] ?? ""}  `;
  return line.replace(/(?<=\))\.(?=[a-zA-Z]+\()/g, `\n${indent}.`).split("\n");
}

type Member<K extends AdoptedMember["kind"]> = Extract<AdoptedMember, { kind: K }>;

function writeField({ column, unique }: Member<"field">): string {
  return `${makerOf(column)}${boundsOf(column)}${column.optional ? ".optional()" : ""}${unique ? ".unique()" : ""}${filling(column)}${placeOf(column)}`;
}

function writeKey({ target, inverse, reference, columns, natives, unique }: Member<"belongsTo">): string {
  const { onDelete } = reference;
  const optional = columns.every((column) => column.optional);
  const isTold = onDelete === "cascade" || (onDelete === "setNull" && optional);
  const options = `{ inverse: ${JSON.stringify(inverse)}${isTold ? `, onDelete: ${JSON.stringify(onDelete)}` : ""} }`;
  const places = columns.map(({ name, native }, index) => {
    const text = JSON.stringify(name);
    return native === natives[index] ? text : `[${text}, ${JSON.stringify(native)}]`;
  });
  return `belongsTo(() => ${target}, ${options})${optional ? ".optional()" : ""}${unique ? ".unique()" : ""}.column(${places.join(", ")})`;
}

function writeLink({ target, through, from, to }: Member<"manyToMany">): string {
  return `manyToMany(() => ${target}, { through: () => ${through}, from: ${JSON.stringify(from)}, to: ${JSON.stringify(to)} })`;
}

function placeOf({ name, native }: CatalogColumn): string {
  return `.column(${JSON.stringify(name)}, ${JSON.stringify(native)})`;
}

function makerOf({ type, made }: CatalogColumn): string {
  if (made === "counted") return "serial()";
  switch (type?.name) {
    case "text":
      return type.max === null ? "text()" : `text().max(${type.max})`;
    case "decimal":
      return `decimal(${type.precision}, ${type.scale})`;
    case "choice":
      return `choice(${type.choices.map((one) => JSON.stringify(one)).join(", ")})`;
    default:
      return `${type?.name ?? "text"}()`;
  }
}

const bounded: ReadonlySet<CatalogType["name"] | undefined> = new Set(["integer", "bigint", "float", "decimal"]);

function boundsOf({ type, bounds }: CatalogColumn): string {
  if (!bounded.has(type?.name)) return "";
  const write = (value: string) => (type?.name === "decimal" || type?.name === "bigint" ? JSON.stringify(value) : value);
  return `${bounds.min === undefined ? "" : `.min(${write(bounds.min)})`}${bounds.max === undefined ? "" : `.max(${write(bounds.max)})`}`;
}

function filling({ made, default: given, type }: CatalogColumn): string {
  if (made === "counted") return "";
  if (made === "computed") return ".readOnly().default(byDatabase)";
  if (given === null) return "";
  if (given === "now") return type?.name === "datetime" ? ".default(now)" : ".default(byDatabase)";
  const constant = given === "database" ? null : constantOf(given.value, type);
  return constant === null ? ".default(byDatabase)" : `.default(${constant})`;
}

/** A constant as the field takes it, or null where it does not: the database then fills it in. */
function constantOf(value: string | number | boolean, type: CatalogType | null): string | null {
  switch (type?.name) {
    case "text":
      return typeof value === "string" ? JSON.stringify(value) : null;
    case "choice":
      return typeof value === "string" && type.choices.includes(value) ? JSON.stringify(value) : null;
    case "integer":
      return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : null;
    case "float":
      return typeof value === "number" ? String(value) : null;
    case "bigint":
      return typeof value === "number" && Number.isSafeInteger(value) ? JSON.stringify(String(value)) : null;
    case "decimal":
      return typeof value === "number" && Number.isSafeInteger(value) ? JSON.stringify(String(value)) : null;
    case "boolean":
      return typeof value === "boolean" ? String(value) : value === 1 ? "true" : value === 0 ? "false" : null;
    default:
      return null;
  }
}

function docs(text: string | null, indent: string): string {
  if (text === null || text.trim() === "") return "";
  const lines = comment(text).split(/\r?\n/);
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

// A comment must not end before it is over.
function comment(text: string): string {
  return text.trim().replaceAll("*/", "*\\/");
}
