/** Chinook on each database: where its files are, and how a question's SQL is spelt and its answers are compared. */
import { existsSync } from "node:fs";
import { needs } from "../needs.ts";
import { root } from "../../scripts/run.ts";
import type { Kind } from "./questions.ts";

/** The folder with the files. */
export const folder = `${root}../shared/data/`;

/** For the options of a test that reads one of the files. */
export function needsChinook(file: string): { readonly skip: string | false } {
  return { skip: needs(`${file} in ../shared/data`, existsSync(folder + file)).skip };
}

export const models = [
  "albums",
  "artists",
  "customers",
  "employees",
  "genres",
  "invoiceLines",
  "invoices",
  "mediaTypes",
  "playlistTracks",
  "playlists",
  "tracks",
];

/** A value as every product would write it. */
export function plain(value: unknown, kind: Kind): unknown {
  if (value === null || value === undefined) return null;
  switch (kind) {
    case "text":
      return typeof value === "string" ? value : JSON.stringify(value);
    case "number":
      return Number(value);
    case "money":
      return Number(value).toFixed(2);
    case "mean":
      return Number(Number(value).toPrecision(9));
    case "instant":
      return new Date(value instanceof Date ? value : isoOf(value as string)).toISOString();
  }
}

function isoOf(text: string): string {
  return text.endsWith("Z") ? text : `${text.replace(" ", "T")}Z`;
}

type Tree = Readonly<Record<string, unknown>>;

/** An answer's row as the rows that SQL gives: one for each element of the lists that its columns go through. */
export function flatten(row: unknown, columns: readonly string[]): readonly (readonly unknown[])[] {
  const lists = [
    ...new Set(columns.flatMap((column) => [...column.matchAll(/\[\]/g)].map(({ index }) => column.slice(0, index + 2)))),
  ];
  let found: readonly Tree[] = [{ "": row }];
  for (const list of lists.toSorted((a, b) => a.length - b.length))
    found = found.flatMap((reached) =>
      (read(reached, list.slice(0, -2)) as readonly unknown[]).map((item) => ({ ...reached, [list]: item })),
    );
  return found.map((reached) => columns.map((column) => read(reached, column)));
}

/** The value of a column, from the innermost row that it begins with. */
function read(reached: Tree, column: string): unknown {
  const start =
    Object.keys(reached)
      .filter((list) => column.startsWith(list))
      .toSorted((a, b) => b.length - a.length)[0] ?? "";
  const names = column
    .slice(start.length)
    .split("/")
    .filter((name) => name !== "");
  return names.reduce<unknown>((value, name) => (value as Tree | null)?.[name] ?? null, reached[start]);
}
