/** Seeded chance: the same seed makes the same schemas, rows, rules and queries on every machine. */

export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number;
  /** A whole number from 0 up to, and without, `below`. */
  int(below: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Up to `most` different elements, in random order. */
  some<T>(list: readonly T[], most: number): T[];
}

/** Mulberry32: 32 bits of state, and good enough to choose test cases with. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number) => Math.floor(next() * below);
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (list) => list[int(list.length)] as (typeof list)[number],
    some: (list, most) => {
      const left = [...list];
      const taken: (typeof list)[number][] = [];
      for (let wanted = int(most + 1); wanted > 0 && left.length > 0; wanted--) taken.push(...left.splice(int(left.length), 1));
      return taken;
    },
  };
}
