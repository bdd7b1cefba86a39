/** One statement as the library runs it: what its columns are is asked once on each connection, and its answer is rows and nothing else. */
import type { Client } from "pg";
import type { Row, Value } from "../../../database.ts";
import type { ServerError } from "../failures.ts";
import { type Parser, parserOf } from "../values.ts";

export interface Asked {
  /** Empty where it is prepared for this once. */
  readonly name: string;
  readonly text: string;
  /** Null where the text is a word to the server, such as begin. */
  readonly values: readonly Sent[] | null;
}

/** A value in the form in which it is sent, or an array of texts. */
export type Sent = string | Buffer | null | readonly (string | null)[];

export interface Landed {
  readonly rows: readonly Row[];
  /** Rows the statement changed or returned. */
  readonly count: number;
}

/** Hears the answer, or what the statement failed with. */
export type Land = (landed: Landed | null, error: ServerError | null) => void;

/** Sends a statement behind those that were sent before it. */
export type Ask = (client: Client, asked: Asked, land: Land) => void;

/** What the library lets a statement do on its connection. */
interface Connection {
  readonly parsedStatements: Readonly<Record<string, string | undefined>>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
  query(text: string): void;
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(run: { readonly statement: string; readonly values: readonly Sent[]; readonly valueMapper: typeof toText }): void;
  describe(what: { readonly type: "P"; readonly name: "" }): void;
  execute(): void;
  sync(): void;
}

/** The library's own kind of statement, the only one that it sends ahead of the answers to others. */
export type LibraryQuery = new (text: string) => object;

/** How the columns of a connection's named statements are read: the server would refuse to run one whose columns have changed. */
const knownColumns = new WeakMap<Connection, Map<string, readonly Parser[]>>();

function columnsOf(connection: Connection): Map<string, readonly Parser[]> {
  const known = knownColumns.get(connection) ?? new Map<string, readonly Parser[]>();
  knownColumns.set(connection, known);
  return known;
}

export function createAsk(Query: LibraryQuery): Ask {
  /** Its methods are called by the library, in the order of what the server sends. */
  class Asking extends Query {
    readonly name: string;
    readonly text: string;
    readonly #values: readonly Sent[] | null;
    readonly #land: Land;
    readonly #rows: Row[] = [];
    #columns: Map<string, readonly Parser[]> | null = null;
    #parsers: readonly Parser[] | undefined;
    #count = 0;

    constructor({ name, text, values }: Asked, land: Land) {
      super(text);
      this.name = name;
      this.text = text;
      this.#values = values;
      this.#land = land;
    }

    submit(connection: Connection): null {
      const { name, text } = this;
      if (this.#values === null) {
        connection.query(text);
        return null;
      }
      this.#columns = name === "" ? null : columnsOf(connection);
      this.#parsers = this.#columns?.get(name);
      if ((connection.parsedStatements[name] ?? connection.submittedNamedStatements[name]) === undefined) {
        connection.parse({ name, text });
        if (name !== "") connection.submittedNamedStatements[name] = text;
      }
      connection.bind({ statement: name, values: this.#values, valueMapper: toText });
      if (this.#parsers === undefined) connection.describe({ type: "P", name: "" });
      connection.execute();
      connection.sync();
      return null;
    }

    handleRowDescription({ fields }: { readonly fields: readonly { readonly dataTypeID: number }[] }): void {
      this.#parsers = fields.map(({ dataTypeID }) => parserOf(dataTypeID));
    }

    handleDataRow({ fields }: { readonly fields: Value[] }): void {
      const parsers = this.#parsers as readonly Parser[];
      for (let index = 0; index < fields.length; index++) {
        const field = fields[index];
        if (typeof field === "string") fields[index] = (parsers[index] as Parser)(field);
      }
      this.#rows.push(fields);
    }

    handleCommandComplete({ text }: { readonly text: string }): void {
      this.#count = Number(text.slice(text.lastIndexOf(" ") + 1)) || 0;
      this.#columns?.set(this.name, this.#parsers ?? []);
    }

    handleReadyForQuery(): void {
      this.#land({ rows: this.#rows, count: this.#count }, null);
    }

    handleError(error: ServerError): void {
      this.#land(null, error);
    }
  }

  return (client, asked, land) => void client.query(new Asking(asked, land) as unknown as { submit: () => void });
}

/** An array as the server reads it, and everything else as it is. */
function toText(value: Sent): string | Buffer | null {
  if (!Array.isArray(value)) return value as string | Buffer | null;
  const elements = value.map((element: string | null) => (element === null ? "NULL" : `"${element.replace(/[\\"]/g, "\\$&")}"`));
  return `{${elements.join(",")}}`;
}
