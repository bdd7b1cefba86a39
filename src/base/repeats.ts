/** Keeps what is made from a text, from the second time on that it is asked for: keeping what is asked for once costs more than making it. */
import { createLru } from "./lru.ts";

/** What was made for that key, or what `make` makes. */
export type Repeats<V> = (key: string, make: () => V) => V;

/** At most `max` values and as many keys that were asked for once. */
export function createRepeats<V extends object>(max: number): Repeats<V> {
  const kept = createLru<string, V>(max);
  const once = new Set<string>();
  return (key, make) => {
    const found = kept.get(key);
    if (found !== undefined) return found;
    const made = make();
    if (once.has(key)) kept.set(key, made);
    else if (once.size >= max) once.clear();
    once.add(key);
    return made;
  };
}
