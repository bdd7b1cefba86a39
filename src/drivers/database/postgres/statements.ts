/** Names of prepared statements: the same text has the same name on every connection, and their number is bounded. */
import { toPositional } from "./text.ts";

/** A statement as it is sent; without a name it is prepared for this once. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

export interface Statements {
  prepare(text: string): Prepared;
  /** Connections of an earlier one hold statements that are used no more. */
  generation(): number;
  /** Forgets every statement: their tables have changed. */
  renew(): void;
}

export function createStatements(max: number): Statements {
  let generation = 1;
  let known = new Map<string, Prepared>();
  const renew = () => {
    generation++;
    known = new Map();
  };
  return {
    prepare(text) {
      const found = known.get(text);
      if (found) return found;
      if (known.size >= max) renew();
      const prepared = Object.freeze({ name: `h${generation}_${known.size}`, text: toPositional(text) });
      known.set(text, prepared);
      return prepared;
    },
    generation: () => generation,
    renew,
  };
}
