/** Compares a field with its column: type, nullability, choices, bounds, and who fills it in. */
import type { CatalogColumn } from "../../drivers/catalog.ts";
import type { Field } from "../../schema/schema.ts";

/** What is told of columns of one table, in the words that follow their names. */
export interface Difference {
  readonly columns: readonly string[];
  readonly text: string;
}

/** Half sentences. */
export function compareColumn(field: Field, column: CatalogColumn): string[] {
  const inFile = (text: string) => `in the database and ${text} in the file`;
  const found: string[] = [];
  if (field.native !== null && field.native !== column.native)
    found.push(`is ${column.native || "of no type"} ${inFile(field.native || "of no type")}`);
  if (field.optional !== column.optional)
    found.push(`is ${column.optional ? "optional" : "required"} ${inFile(field.optional ? "optional" : "required")}`);
  const given = column.type?.name === "choice" ? column.type.choices : null;
  const { choices = null } = field.params;
  if (field.relation === null && (choices ?? []).join("\n") !== (given ?? []).join("\n"))
    found.push(`may be ${spell(given)} ${inFile(spell(choices))}`);
  return [...found, ...compareBounds(field, column), ...compareMaking(field, column)];
}

function spell(choices: readonly string[] | null): string {
  return choices === null ? "any text" : choices.join(", ");
}

const bounded: ReadonlySet<string> = new Set(["integer", "bigint", "float", "decimal"]);

function compareBounds({ type, params, relation }: Field, { bounds }: CatalogColumn): string[] {
  if (!bounded.has(type.name) || relation !== null || params.serial) return [];
  return (["min", "max"] as const).flatMap((side) => {
    const [ours, theirs] = [params[side], bounds[side]];
    const isSame = ours === undefined || theirs === undefined ? ours === theirs : Number(ours) === Number(theirs);
    const word = side === "min" ? "at least" : "at most";
    const told = (bound: number | string | undefined) => (bound === undefined ? "anything" : `${word} ${bound}`);
    return isSame ? [] : [`may be ${told(theirs)} in the database and ${told(ours)} in the file`];
  });
}

/** What would be refused: nobody fills the column in any more, or nobody but the database may. */
function compareMaking(field: Field, { made, default: given, optional }: CatalogColumn): string[] {
  const isFilled = field.default?.from === "database";
  if (field.params.serial && made !== "counted") return ["is counted in the file and not in the database"];
  if (made === "computed" && !field.readOnly) return ["is computed in the database, and not readOnly() in the file"];
  if (made !== "computed" && isFilled && field.readOnly) return ["is not computed in the database, and readOnly() in the file"];
  if (isFilled && given === null && !optional) return ["has no default in the database, and byDatabase in the file"];
  return [];
}
