/** Which rows of a unit a driver may write together: those that follow each other and are alike. */
import type { UnitRepeat, WriteOptions } from "../../drivers/database.ts";
import type { Model } from "../../schema/schema.ts";
import type { UnitTemplate } from "../compile/unit.ts";
import { formatKey, parseKey } from "../key.ts";

/** Changes of rows in one unit at most: each brings along the row as it was, and perhaps as it is. */
export const unitRowsMax = 100;
/** Characters of values that a unit binds at most, where there is more than one row in it. */
const unitCharactersMax = 200_000;

/** How many changes with these values one unit may have. */
export function rowsWith(values: Iterable<unknown>): number {
  let characters = 1;
  for (const value of values) if (typeof value === "string" || value instanceof Uint8Array) characters += value.length;
  return Math.min(unitRowsMax, Math.max(1, Math.floor(unitCharactersMax / characters)));
}

/** A row's share of a unit. */
export interface Share {
  readonly unit: UnitTemplate;
  /** Its first step. */
  readonly base: number;
  /** Steps of its own that follow each other, from its first. */
  readonly steps: number;
}

/** Of a unit by itself: it may run together with those of other requests. */
export const alikeOptions: WriteOptions = Object.freeze({ alike: true });

/** A row that is changed. */
export interface Changed {
  readonly model: Model;
  readonly id: string;
}

/** Of changes in one unit, the first of this row. One by itself may run together with those of other rows and requests. */
export function changeOptions(shares: readonly Share[], { model, id }: Changed): WriteOptions | undefined {
  if (shares.length > 1) return repeatsOf(shares);
  if (!shares[0]?.unit.alike) return undefined;
  // A caller may spell a key otherwise than another one does.
  return { alike: true, row: `${model.name} ${formatKey(model, parseKey(model, id) ?? [])}` };
}

/** Undefined where nothing repeats. */
export function repeatsOf(shares: readonly Share[]): WriteOptions | undefined {
  const repeats: UnitRepeat[] = [];
  let last: Share | null = null;
  for (const one of shares) {
    const { unit, steps, base } = one;
    const run = repeats.at(-1);
    if (run && last?.unit === unit && run.steps === steps && base === run.from + run.steps * run.times)
      repeats[repeats.length - 1] = { ...run, times: run.times + 1 };
    else if (unit.alike) repeats.push({ from: base, steps, times: 1 });
    last = one;
  }
  const several = repeats.filter(({ times }) => times > 1);
  return several.length > 0 ? { repeats: several } : undefined;
}
