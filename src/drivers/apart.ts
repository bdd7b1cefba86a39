/** Keeps the product's own tables apart from tables of others: in a schema of their own, which every statement then names. */
import type { Ddl } from "./ddl.ts";
import type { Dialect } from "./dialect.ts";

/** The two languages of a database. */
export interface Languages {
  readonly dialect: Dialect;
  readonly ddl: Ddl;
}

export interface Place {
  /** The schema, attached file or database; it is there already. */
  readonly schema: string;
  /** The tables that stand in it. */
  readonly tables: ReadonlySet<string>;
  /** Lists the tables in it, by name. */
  readonly listing: string;
  /** Which name of CREATE INDEX says where the index goes. */
  readonly indexGoesBy: "index" | "table";
}

/** The same languages, naming the place of every table that stands there. */
export function keepApart({ dialect, ddl }: Languages, place: Place): Languages {
  const { schema, tables, listing } = place;
  const placed = (quote: (name: string) => string) => (name: string) =>
    tables.has(name) ? `${quote(schema)}.${quote(name)}` : quote(name);
  const quote = placed((name) => ddl.quote(name));
  return {
    dialect: Object.freeze<Dialect>({ ...dialect, quote: placed(dialect.quote) }),
    ddl: Object.freeze<Ddl>({
      ...ddl,
      manner: { ...ddl.manner, apart: true },
      quote,
      // The first name in it is the table's.
      createTable: (table) => ddl.createTable(table).replace(ddl.quote(table.name), () => quote(table.name)),
      alterTable(change) {
        const made = ddl.alterTable(change);
        const [from, to] = [`ALTER TABLE ${ddl.quote(change.to.name)}`, `ALTER TABLE ${quote(change.to.name)}`];
        return { ...made, statements: made.statements.map((text) => text.replace(from, () => to)) };
      },
      createIndex(index, table) {
        const text = ddl.createIndex(index, table);
        if (!tables.has(index.table)) return text;
        const [from, to] =
          place.indexGoesBy === "table"
            ? [`ON ${ddl.quote(index.table)}`, `ON ${quote(index.table)}`]
            : [ddl.quote(index.name), `${ddl.quote(schema)}.${ddl.quote(index.name)}`];
        return text.replace(from, () => to);
      },
      catalogue: {
        ...ddl.catalogue,
        async readTables(read) {
          const rows = await read(listing);
          return rows.map(([name]) => String(name));
        },
      },
    }),
  };
}
