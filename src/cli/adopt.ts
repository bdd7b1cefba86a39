/** `holdfast adopt`: writes a backend file for a database that is there already, or tells how the two differ. */
import { existsSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { styleText } from "node:util";
import type { Adopted, Remark } from "./adopt/adopted.ts";
import { didYouMean } from "../base/suggest.ts";
import type { CatalogTable } from "../drivers/catalog.ts";
import { type CommandFile, gather, type ProjectFlags } from "./command.ts";
import { failCli } from "./errors.ts";
import { partsOfTable, shownTable } from "../schema/table-name.ts";
import { exitCodes, type Terminal } from "./terminal.ts";

interface AdoptFlags extends ProjectFlags {
  readonly out?: string;
  readonly readOnlyFor?: string;
  readonly without?: readonly string[];
  readonly schema?: readonly string[];
  readonly check?: boolean;
  readonly force?: boolean;
}

export const command: CommandFile = {
  define: (command) =>
    void command
      .argument("[url]", "the database: sqlite: and a path, a path alone, postgres: or mysql: (default: HOLDFAST_DATABASE_URL)")
      .option("--out <file>", "the file to write", "backend.ts")
      .option("--read-only-for <role>", "who has the role may read everything (default: nobody may do anything)")
      .option(
        "--without <table>",
        "leave a table out, or with --check a column (table.column); may be given more than once",
        gather,
      )
      .option(
        "--schema <names>",
        "of PostgreSQL: the schemas whose tables are adopted, separated by commas (default: the current one, or with --check those of the file)",
        gather,
      )
      .option("--check", "compare the database with the backend file instead, and write nothing")
      .option("--force", "replace a file that is there"),
  examples: [
    "holdfast adopt sqlite:./shop.db",
    "holdfast adopt ./shop.db --out shop.ts --read-only-for staff",
    "holdfast adopt ./shop.db --without sessions --without cache",
    "holdfast adopt postgres://user:password@host/name --schema public,sales",
    "holdfast adopt ./shop.db --check",
  ],
  run,
};

async function run(terminal: Terminal, flags: AdoptFlags, [url]: readonly string[]): Promise<number> {
  const [{ readCatalog, fileOf, showUrl }, { settingsOf }, { arrange }, { namedSchemas, otherSchemas, tellOthers }] =
    await Promise.all([
      import("../app/wire.ts"),
      import("./project/settings.ts"),
      import("./adopt/arrange.ts"),
      import("./adopt/schemas.ts"),
    ]);
  const { database } = settingsOf(terminal, url === undefined ? flags : { ...flags, database: url });
  const file = fileOf(database);
  if (file !== null && !existsSync(file))
    throw failUsage(`There is no database ${file}: say which one, as in holdfast adopt sqlite:./shop.db.`);
  // Whoever reads the file need not know that there was a password.
  const shown = showUrl(database).replace(":***@", "@");
  const { out = "backend.ts", readOnlyFor = null, without = [], force = false, schema: flag = [] } = flags;
  if (flags.check) {
    const [{ loadBackend }, { compareBackend, schemasOfBackend }] = await Promise.all([
      import("./project/load-backend.ts"),
      import("./adopt/compare.ts"),
    ]);
    const backend = await loadBackend(out, terminal.cwd);
    const { tables } = await readCatalog(database, (known) =>
      flag.length > 0 ? namedSchemas(flag, known) : schemasOfBackend(backend, known),
    );
    return reportDifferences(compareBackend(backend, tables, without), { out, database: shown }, terminal);
  }
  if (readOnlyFor?.trim() === "") throw failUsage("--read-only-for takes the name of a role.");
  const { tables, schemas } = await readCatalog(database, (known) => namedSchemas(flag, known));
  if (flag.length > 0 && schemas.length === 0) throw failUsage("--schema is for PostgreSQL: other databases have no schemas.");
  const left = otherSchemas(schemas, namedSchemas(flag, schemas));
  const others = tellOthers(left, schemas);
  refuseUnknown(without, tables);
  const adopted = arrange(tables, without);
  if (adopted.models.length === 0) {
    reportRemarks(adopted.remarks, terminal);
    if (others !== null) terminal.say(others);
    throw tables.length === 0
      ? failCli("no_tables", { fields: { database: shown } })
      : failCli("nothing_to_adopt", { fields: { database: shown } });
  }
  const target = resolve(terminal.cwd, out);
  if (!force && existsSync(target)) throw failCli("backend_exists", { fields: { file: out } });
  if (!existsSync(dirname(target))) throw failUsage(`There is no folder ${dirname(out)} to write ${out} into.`);
  const { writeBackend } = await import("./adopt/write-backend.ts");
  writeFileSync(target, writeBackend(adopted, { database: shown, readOnlyFor }));
  const serving = { out, database: shown, isKnown: url === undefined && flags.database === undefined };
  report(adopted, { ...serving, others, otherSchemas: left.map(({ name }) => name), hasPassword: shown !== database }, terminal);
  return exitCodes.done;
}

interface Told {
  readonly out: string;
  readonly database: string;
}

function failUsage(fault: string): Error {
  return failCli("usage", { fields: { fault } });
}

/** A table that was meant to be left out would be served. */
function refuseUnknown(without: readonly string[], tables: readonly CatalogTable[]): void {
  const names = tables.map(({ name }) => shownTable(name));
  const unknown = without.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw failUsage(`--without names a table ${JSON.stringify(unknown)}, and there is none.${didYouMean(unknown, names)}`);
}

interface Serving extends Told {
  /** The environment names it. */
  readonly isKnown: boolean;
  readonly hasPassword: boolean;
  /** Of schemas that are not adopted. */
  readonly others: string | null;
  readonly otherSchemas: readonly string[];
}

function report(
  { models, remarks }: Adopted,
  { out, database, isKnown, hasPassword, others, otherSchemas }: Serving,
  terminal: Terminal,
): void {
  const { say } = terminal;
  const readOnly = models.filter(({ key }) => key === null).length;
  say(
    `Wrote ${out}: ${models.length} model${models.length === 1 ? "" : "s"}${readOnly === 0 ? "" : `, ${readOnly} of them read only`}. The database was only read.`,
  );
  reportRemarks(remarks, terminal);
  if (others !== null) say(`\n${others}`);
  say("");
  say("Serve it with:");
  // What was found in the environment is found there again; a password is not shown, and a URL without it serves nothing.
  const where = isKnown ? "" : hasPassword ? " --database URL" : ` --database ${database}`;
  say(`  holdfast start${out === "backend.ts" ? "" : ` --backend ${out}`}${where}`);
  terminal.document({
    file: out,
    database,
    models: models.map(({ name, table, key }) => {
      const { schema, name: own } = partsOfTable(table.name);
      return { name, table: own, ...(schema === null ? {} : { schema }), kind: table.kind, key };
    }),
    remarks,
    otherSchemas,
  });
}

function reportRemarks(remarks: readonly Remark[], { say }: Terminal): void {
  for (const kind of ["left out", "note"] as const) {
    const found = remarks.filter((remark) => remark.kind === kind);
    if (found.length === 0) continue;
    say(`\n${kind === "left out" ? "Left out:" : "Good to know:"}`);
    for (const { place, why } of found) say(`  ${styleText("bold", place)}: ${why}`);
  }
}

function reportDifferences(differences: readonly string[], { out, database }: Told, terminal: Terminal): number {
  terminal.document({ file: out, database, differences });
  if (differences.length === 0) {
    terminal.say(`${out} stands for the database as it is.`);
    return exitCodes.done;
  }
  for (const difference of differences) terminal.say(difference);
  terminal.say(
    `\n${differences.length === 1 ? "One difference" : `${differences.length} differences`} between ${out} and the database.`,
  );
  return exitCodes.failed;
}
