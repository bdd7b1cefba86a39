/** Suggests the name that was probably meant. */

// A suggestion further away than this is a guess.
const distanceMax = 3;
// Longer names are not compared: the table is quadratic and the input may come from outside.
const lengthMax = 64;

/** ` Did you mean "title"?`, or an empty text where nothing is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return near === null ? "" : ` Did you mean ${JSON.stringify(near)}?`;
}

/** The known name nearest to `name` by Levenshtein distance, or null. */
export function nearest(name: string, known: Iterable<string>): string | null {
  if (name.length > lengthMax) return null;
  let best: string | null = null;
  let bestDistance = Math.min(distanceMax, Math.ceil(name.length / 2)) + 1;
  for (const candidate of known) {
    const distance =
      candidate.length > lengthMax ? Number.POSITIVE_INFINITY : editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      current.push(
        Math.min((previous[column] as number) + 1, (current[column - 1] as number) + 1, (previous[column - 1] as number) + same),
      );
    }
    previous = current;
  }
  return previous[b.length] as number;
}
