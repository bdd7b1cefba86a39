/** Which exports of a package entry have no docstring, following re-exports to where each is declared. */
import { posix } from "node:path";
import { type ESTree, parseSync } from "rolldown/utils";

type Statement = ESTree.Program["body"][number];

/** Exports of the entry that carry no docstring, as `file name`. `read` gives a file's text by its path. */
export function findBareExports(entry: string, read: (path: string) => string): string[] {
  const { program } = parseSync(entry, read(entry));
  return program.body.flatMap((statement) =>
    namesOf(statement).flatMap(({ exported }) => {
      const bare = findBare(entry, exported, read);
      return bare === null ? [] : [bare];
    }),
  );
}

/** Follows one export; null when it has a docstring where it is declared, or comes from elsewhere. */
function findBare(path: string, name: string, read: (path: string) => string): string | null {
  const text = read(path);
  const { program, comments } = parseSync(path, text);
  for (const statement of program.body) {
    const match = namesOf(statement).find(({ exported }) => exported === name);
    if (match === undefined || statement.type !== "ExportNamedDeclaration") continue;
    if (statement.source !== null) {
      const isLocal = statement.source.value.startsWith(".");
      return isLocal ? findBare(posix.join(posix.dirname(path), statement.source.value), match.local, read) : null;
    }
    const declaration = statement.declaration === null ? findDeclaration(program.body, match.local) : statement;
    const isDocumented = comments.some(
      ({ value, end }) =>
        declaration !== undefined &&
        value.startsWith("*") &&
        text.slice(end, declaration.start).trim() === "" &&
        end <= declaration.start,
    );
    return isDocumented ? null : `${path} ${name}`;
  }
  return `${path} ${name} (not found)`;
}

/** What a statement exports by name, and what that is called where it comes from. */
function namesOf(statement: Statement): { exported: string; local: string }[] {
  if (statement.type !== "ExportNamedDeclaration") return [];
  const specifiers = statement.specifiers.map(({ exported, local }) => ({ exported: textOf(exported), local: textOf(local) }));
  return [...specifiers, ...declaredBy(statement.declaration).map((name) => ({ exported: name, local: name }))];
}

function declaredBy(declaration: Statement | ESTree.Declaration | null): string[] {
  if (declaration?.type === "VariableDeclaration") {
    return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  }
  return declaration !== null && "id" in declaration && declaration.id?.type === "Identifier" ? [declaration.id.name] : [];
}

function findDeclaration(body: readonly Statement[], name: string): Statement | undefined {
  return body.find((statement) => declaredBy(statement).includes(name));
}

function textOf(name: ESTree.ModuleExportName): string {
  return name.type === "Literal" ? name.value : name.name;
}
