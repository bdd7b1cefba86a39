/** Folds text for search: without case, accents and width, so that "Amélie" is found by "amelie". */

/** NFKD, combining marks removed, lower case (Unicode UAX #15 and the default case mapping). */
export function foldText(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
