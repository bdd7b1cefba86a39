/** What a snapshot carries on from the one before it of a table that was adopted: what the database said when it was taken over. */
import type { Ddl, IndexShape, NativeType } from "../../../drivers/ddl.ts";
import type { Field } from "../../../schema/schema.ts";
import type { SnapshotAdopted, SnapshotField, SnapshotModel } from "../snapshot/snapshot-types.ts";

/** To be spread into a field: the type that its column has, and whether only the database knows how to fill it in. */
export function carryNative(
  field: Field,
  was: SnapshotField | undefined,
  ddl: Ddl,
): Pick<SnapshotField, "native" | "fromDatabase"> {
  const { native: spelt, optional } = field;
  if (spelt === null) return {};
  const before = was?.native;
  const values = valuesOf(field, before, ddl);
  const given = field.default?.from === "database" && !before ? ({ fromDatabase: true } as const) : {};
  // What the column takes changes with the field, and not by itself.
  const nullable = before?.nullable !== undefined && was?.optional === optional ? { nullable: before.nullable } : {};
  if (before?.spelt === spelt) {
    const { nullable: _, ...rest } = before;
    return { native: { ...rest, ...values, ...nullable }, ...given };
  }
  const { refers: _, isMade: __, collation = before?.collation, ...declared } = ddl.forms.declare(spelt);
  const kept: Partial<NativeType> = before?.tail === undefined ? {} : { tail: before.tail };
  const set = collation === undefined ? {} : { collation };
  return { native: { fill: before?.fill ?? null, ...kept, ...declared, ...set, ...values, ...nullable, spelt }, ...given };
}

/** What was found not to be an enumeration is none, whatever the file says of its values. */
function valuesOf(field: Field, before: NativeType | undefined, ddl: Ddl): Pick<NativeType, "values"> {
  const choices = enumeratedBy(field, ddl);
  const isKnown = before !== undefined && before.spelt === field.native && before.values === undefined;
  return choices === null || isKnown ? {} : { values: choices };
}

/** The values of a choice whose column is of a type that somebody has made; else null. */
export function enumeratedBy({ native, params: { choices } }: Field, ddl: Ddl): readonly string[] | null {
  return native !== null && choices && ddl.forms.declare(native).isMade ? choices : null;
}

/** An index that was found keeps its name, whatever the names of its table and columns become. */
export function carryIndex(index: IndexShape, fields: readonly SnapshotField[], earlier: SnapshotModel | undefined): IndexShape {
  const idOf = (among: readonly SnapshotField[], name: string) => among.find(({ column }) => column === name)?.id;
  const was = earlier?.indexes.find(
    ({ found, unique, columns }) =>
      found !== undefined &&
      unique === index.unique &&
      index.where === null &&
      columns.length === index.columns.length &&
      columns.every((one, place) => {
        const now = index.columns[place];
        return now?.descending === one.descending && idOf(earlier.fields, one.column) === idOf(fields, now.column);
      }),
  );
  if (was?.found === undefined) return index;
  const columns = index.columns.map((column, place) => {
    const prefix = was.columns[place]?.prefix;
    return { column: column.column, descending: column.descending, ...(prefix === undefined ? {} : { prefix }) };
  });
  return { ...index, name: was.name, columns, found: was.found };
}

const nothing: SnapshotAdopted = Object.freeze({ traits: [], beyond: [], others: [], ties: [] });

/** References that are no relation follow the columns that hold them. */
export function carryAdopted(fields: readonly SnapshotField[], earlier: SnapshotModel | undefined): SnapshotAdopted {
  const was = earlier?.adopted;
  if (!earlier || !was) return nothing;
  const now = (column: string) => {
    const id = earlier.fields.find((field) => field.column === column)?.id;
    return fields.find((field) => field.id === id)?.column ?? column;
  };
  const ties = was.ties
    .filter(({ columns }) =>
      columns.every((column) => was.others.includes(column) || fields.some((one) => one.column === now(column))),
    )
    .map((tie) => ({ ...tie, columns: tie.columns.map(now) }));
  return { ...was, ties };
}
