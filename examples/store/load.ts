/** Fills the shop with the films of vega-datasets. Stopped half-way it goes on where it was; nothing is loaded twice. */
import { readFileSync } from "node:fs";
import type { StoreDb } from "./backend.ts";
import { type Movie, type MovieRow, readMovie, type Remark } from "./movies.ts";

export interface LoadReport {
  /** Rows in the file. */
  readonly rows: number;
  /** Films that this run put into the shop. */
  readonly loaded: number;
  /** Films that were there before. */
  readonly present: number;
  readonly remarks: readonly Remark[];
}

/** Told of the rows done so far, of all. */
export type OnProgress = (done: number, all: number) => void;

const batchSize = 200;

/** The 3,201 rows. */
export function readMovies(): readonly MovieRow[] {
  const file = new URL("../data/movies.json", import.meta.resolve("vega-datasets"));
  return JSON.parse(readFileSync(file, "utf8")) as MovieRow[];
}

/** Loads what is missing, in batches of which each is whole or absent. A film is known by its number, which is its row. */
export async function loadFilms(db: StoreDb, rows: readonly MovieRow[], onProgress: OnProgress = () => {}): Promise<LoadReport> {
  const remarks: Remark[] = [];
  const movies = rows.flatMap((row, index) => readMovie(row, index + 1, (remark) => remarks.push(remark)) ?? []);
  const last = await db.films.first({ where: { number: { lte: rows.length } }, orderBy: "-number", trash: "with" });
  const missing = movies.filter(({ number }) => number > (last?.number ?? 0));
  if (missing.length > 0) await loadCustomers(db);
  const keysOf = {
    genres: await loadNames(
      db.genres,
      missing.map(({ genre }) => genre),
    ),
    people: await loadNames(
      db.people,
      missing.map(({ director }) => director),
    ),
    distributors: await loadNames(
      db.distributors,
      missing.map(({ distributor }) => distributor),
    ),
  };
  for (let start = 0; start < missing.length; start += batchSize) {
    const batch = missing.slice(start, start + batchSize);
    await db.films.createMany(batch.map((movie) => toFilm(movie, keysOf)));
    onProgress(batch.at(-1)?.number ?? rows.length, rows.length);
  }
  return { rows: rows.length, loaded: missing.length, present: movies.length - missing.length, remarks };
}

type Keys = ReadonlyMap<string | null, string>;

function toFilm(movie: Movie, keysOf: Readonly<Record<"genres" | "people" | "distributors", Keys>>) {
  return {
    ...movie,
    genre: keysOf.genres.get(movie.genre) ?? null,
    director: keysOf.people.get(movie.director) ?? null,
    distributor: keysOf.distributors.get(movie.distributor) ?? null,
  };
}

/** Genres, people and distributors are all known by their names. */
type Named = StoreDb["genres"] | StoreDb["people"] | StoreDb["distributors"];

/** Creates the names that are not there yet, and gives the key of each. */
async function loadNames(api: Named, names: readonly (string | null)[]): Promise<Keys> {
  const wanted = [...new Set(names)].filter((name) => name !== null);
  const keys = new Map<string, string>();
  for (let start = 0; start < wanted.length; start += 100) {
    const part = wanted.slice(start, start + 100);
    for (const { id, name } of (await api.list({ where: { name: { in: part } }, limit: 100 })).data) keys.set(name, id);
    const fresh = part.filter((name) => !keys.has(name));
    const ids = fresh.length === 0 ? [] : await api.createMany(fresh.map((name) => ({ name })));
    for (const [index, name] of fresh.entries()) keys.set(name, ids[index] as string);
  }
  return keys;
}

/** Two customers to try the shop with. */
async function loadCustomers(db: StoreDb): Promise<void> {
  for (const [id, name] of [
    ["ann", "Ann"],
    ["bob", "Bob"],
  ] as const)
    await db.customers.upsert({ id, name }, { onConflict: ["id"], onConflictDo: "nothing" });
}

/** What happened to the rows, in a few lines: every reason with its count, and where to find the rest. */
export function summarize({ rows, loaded, present, remarks }: LoadReport): string[] {
  const refused = remarks.filter(({ kind }) => kind === "refused");
  const before = present === 0 ? "" : `, ${present} were there before`;
  const lines = [`${rows} rows: ${loaded} films loaded${before}, ${refused.length} refused.`];
  for (const { row, reason } of refused) lines.push(`  row ${row}: ${reason}`);
  const mended = Map.groupBy(
    remarks.filter(({ kind }) => kind === "mended"),
    ({ reason }) => reason,
  );
  for (const [reason, all] of mended) lines.push(`  mended: ${reason}, ${all.length}× (row ${all[0]?.row}: ${all[0]?.detail})`);
  return lines;
}
