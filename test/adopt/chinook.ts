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
      return String(value);
    case "number":
      return Number(value);
    case "money":
      return Number(value).toFixed(2);
    case "mean":
      return Number(Number(value).toPrecision(9));
    case "instant":
      return new Date(value instanceof Date ? value : isoOf(String(value))).toISOString();
  }
}

function isoOf(text: string): string {
  return /Z$/.test(text) ? text : `${text.replace(" ", "T")}Z`;
}
