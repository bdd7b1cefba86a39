/** Reads the rows of vega-datasets' movies.json, which are as dirty as the world: what can be mended is, and every mend is told. */

/** A row as it stands in the file; nothing of it can be relied on. */
export type MovieRow = Readonly<Record<string, unknown>>;

/** A film as the catalogue wants it, with names in place of keys. */
export interface Movie {
  /** The row in the file, from 1: the film's number in the catalogue. */
  readonly number: number;
  readonly title: string;
  readonly releasedOn: string | null;
  readonly rating: (typeof ratings)[number] | null;
  readonly minutes: number | null;
  readonly basedOn: string | null;
  readonly viewers: string | null;
  readonly critics: number | null;
  readonly budget: number | null;
  readonly genre: string | null;
  readonly director: string | null;
  readonly distributor: string | null;
  readonly price: string;
  readonly cost: string;
  readonly stock: number;
}

/** Something that was wrong with a row. `refused` rows are not in the shop; `mended` ones are. */
export interface Remark {
  readonly row: number;
  readonly kind: "refused" | "mended";
  /** The same words for the same trouble, for counting. */
  readonly reason: string;
  /** What stood there, and what became of it. */
  readonly detail: string;
}

const ratings = ["G", "PG", "PG-13", "R", "NC-17", "Not Rated"] as const;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** The file was made in 2010 and has a few films that were to come: a later year is one of the century before. */
const lastYear = 2011;

type Tell = (reason: string, detail: string) => void;

/** Reads one row; null where it makes no film. `tell` hears of everything that was not as it should be. */
export function readMovie(row: MovieRow, number: number, tell: (remark: Remark) => void): Movie | null {
  const mend: Tell = (reason, detail) => tell({ row: number, kind: "mended", reason, detail });
  const title = readTitle(row["Title"], mend);
  if (title === null) {
    tell({ row: number, kind: "refused", reason: "no title", detail: JSON.stringify(row["Title"] ?? null) });
    return null;
  }
  const releasedOn = readDate(row["Release Date"], mend);
  const viewers = numberOf(row["IMDB Rating"]);
  return {
    number,
    title,
    releasedOn,
    rating: readRating(row["MPAA Rating"], mend),
    minutes: numberOf(row["Running Time min"]),
    basedOn: textOf(row["Source"]),
    viewers: viewers === null ? null : viewers.toFixed(1),
    critics: numberOf(row["Rotten Tomatoes Rating"]),
    budget: numberOf(row["Production Budget"]),
    genre: textOf(row["Major Genre"]),
    director: textOf(row["Director"]),
    distributor: textOf(row["Distributor"]),
    ...appraise(number, releasedOn, viewers),
  };
}

/** What the file does not know, a shop must: made up, but always the same for the same film. */
function appraise(number: number, releasedOn: string | null, viewers: number | null): Pick<Movie, "price" | "cost" | "stock"> {
  const age = releasedOn === null ? 30 : lastYear - Number(releasedOn.slice(0, 4));
  const cents = (age < 3 ? 1499 : age < 12 ? 999 : 699) + (viewers !== null && viewers >= 8 ? 200 : 0);
  return { price: (cents / 100).toFixed(2), cost: (Math.floor(cents * 0.6) / 100).toFixed(2), stock: (number * 7919) % 13 };
}

function readTitle(given: unknown, mend: Tell): string | null {
  if (typeof given === "number") mend("title is a number", String(given));
  const written = typeof given === "number" ? String(given) : textOf(given);
  if (written === null) return null;
  const title = unscramble(written).replace(/\s+/g, " ");
  if (title !== written) mend("title was garbled", `${written} → ${title}`);
  return title;
}

/** Understands "Jun 12 1998", "12-Jun-98", "1998-06-12" and "1998", the spellings that this file has had over the years. */
export function readDate(given: unknown, mend: Tell): string | null {
  const text = typeof given === "number" ? String(given) : textOf(given);
  if (text === null) return null;
  const [year, month, day] = splitDate(text);
  if (year === 1969 && month === 12 && day === 31) {
    // Second 0 of Unix time, seen from America: the mark of a date that was lost.
    mend("release date is a placeholder", `${text} → none`);
    return null;
  }
  const written = new Date(Date.UTC(year, month - 1, day));
  if (!(written.getUTCFullYear() === year && written.getUTCMonth() === month - 1)) {
    mend("release date is unreadable", `${text} → none`);
    return null;
  }
  if (year > lastYear) {
    written.setUTCFullYear(year - 100);
    mend("release date has the wrong century", `${text} → ${written.getUTCFullYear()}`);
  }
  return written.toISOString().slice(0, 10);
}

function splitDate(text: string): readonly [year: number, month: number, day: number] {
  const named =
    /^(?<month>[A-Z][a-z]{2}) (?<day>\d{1,2}) (?<year>\d{4})$/.exec(text) ??
    /^(?<day>\d{1,2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2})$/.exec(text);
  if (named?.groups) {
    const { year, month = "", day } = named.groups;
    return [Number(year) < 100 ? 1900 + Number(year) : Number(year), months.indexOf(month) + 1, Number(day)];
  }
  const numbers = /^(\d{4})(?:-(\d{2})-(\d{2}))?$/.exec(text);
  return numbers ? [Number(numbers[1]), Number(numbers[2] ?? 1), Number(numbers[3] ?? 1)] : [Number.NaN, 0, 0];
}

function readRating(given: unknown, mend: Tell): Movie["rating"] {
  const text = textOf(given);
  if (text === null) return null;
  const rating = ratings.find((known) => known === text) ?? null;
  if (rating === null) mend("rating is none that exists", `${text} → none`);
  return rating;
}

/**
 * Some titles were written as Windows-1252 and read as Mac Roman: é became È. Every garbled letter of the file, and what it was.
 * A right letter may be among them, so this is for a known file only.
 */
const garbled: Readonly<Record<string, string>> = {
  È: "é",
  Í: "ê",
  Ë: "è",
  Î: "ë",
  Û: "ó",
  "˘": "ù",
  "‡": "à",
  "‰": "ä",
  "·": "á",
  Ö: "…",
  Ω: "½",
};

function unscramble(text: string): string {
  return text.replace(/[^ -~]/g, (letter) => garbled[letter] ?? letter);
}

function textOf(value: unknown): string | null {
  const text = typeof value === "string" ? value.trim() : "";
  return text === "" ? null : text;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
