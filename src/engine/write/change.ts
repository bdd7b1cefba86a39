/** The change record: what every committed write appends, in its own transaction. Audit, cache, search and messaging read it. */
import type { Step } from "../../drivers/database.ts";
import type { CommitOrder } from "../../drivers/ddl.ts";
import type { Dialect } from "../../drivers/dialect.ts";
import type { Field, Model } from "../../schema/schema.ts";
import { columnForm, plainForm } from "../compile/form.ts";
import { namedFields } from "./fields.ts";
import { keySql, keyTextSql } from "../key.ts";

/** The table; migrations create it. */
export const changesTable = "_changes";
/** Its column that says which transaction wrote a record, in databases that order by it. */
export const commitColumn = "tx";

/** What listeners are told after the commit. The full record stands in the table under model, id and version. */
export interface Change {
  readonly model: string;
  readonly kind: "insert" | "update" | "delete";
  readonly id: string;
  /** The row's version after the change; 0 where the model keeps none. */
  readonly version: number;
}

/** A row's every stored field in wire form, hidden ones included: for records, never for answers. */
export function imageSql(model: Model, alias: string, dialect: Dialect): string {
  const column = (field: Field) => `${alias}.${dialect.quote(field.column)}`;
  const pairs = namedFields(model).map((field) => {
    if (field.parts)
      return [field.name, dialect.json.value(plainForm("text"), keyTextSql(field.parts, column, dialect))] as const;
    return [field.name, dialect.json.value(columnForm(field), column(field))] as const;
  });
  return dialect.json.object(pairs);
}

export interface ChangeParts {
  readonly kind: Change["kind"];
  /** SQL of the values. */
  readonly before: string;
  readonly actor: string;
  readonly requestId: string;
  readonly now: string;
  /** Finds the row, as alias t0. */
  readonly where: string;
  /** The row is about to be gone: no image of it after, and the version counts on. */
  readonly gone: boolean;
}

/** Appends the record of a change to the row that `where` finds. */
export function changeSql(model: Model, parts: ChangeParts, dialect: Dialect): string {
  const { quote } = dialect;
  const columns = ["model", "row_id", "kind", "version", "before", "after", "actor", "request_id", "at"].map(quote).join(", ");
  const version = model.version ? `t0.${quote(model.version.column)}${parts.gone ? " + 1" : ""}` : "0";
  const after = parts.gone ? "null" : imageSql(model, "t0", dialect);
  const values = [
    `'${model.name}'`,
    keySql(model, "t0", dialect),
    `'${parts.kind}'`,
    version,
    parts.before,
    after,
    parts.actor,
    parts.requestId,
    parts.now,
  ];
  return `insert into ${quote(changesTable)} (${columns}) select ${values.join(", ")} from ${quote(model.table)} t0 where ${parts.where}`;
}

/** What a transaction ends with, so that its records have their place among those of others. */
export function sealSteps(commits: CommitOrder | null, { quote }: Dialect): readonly Step[] {
  const texts = commits?.seal(quote, changesTable, commitColumn) ?? [];
  return texts.map((text) => ({ text, kind: "run", params: [], atEnd: true }));
}
