/** Orders renames so that none meets a name still in use: names that go in circles, or stand in the way, step aside first. */
import { partsOfTable, tableIn } from "../../../schema/table-name.ts";

export interface Rename {
  readonly from: string;
  readonly to: string;
}

export interface Renames {
  readonly renames: readonly Rename[];
  /** The name that each id bears afterwards. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Names are compared without case, as databases do.
 * @param present names by id, as they are
 * @param wanted names by id, as they shall be; an id that is not present needs its name to be free
 */
export function orderRenames(present: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): Renames {
  const names = new Map(present);
  const renames: Rename[] = [];
  const move = (id: string, to: string) => {
    renames.push({ from: names.get(id) as string, to });
    names.set(id, to);
  };
  const holderOf = (name: string, except: string) =>
    [...names].find(([id, held]) => id !== except && held.toLowerCase() === name.toLowerCase())?.[0];
  for (const [id, name] of wanted) {
    const holder = holderOf(name, id);
    if (holder !== undefined) move(holder, asideName(names.get(holder) as string, [...names.values(), ...wanted.values()]));
    const held = names.get(id);
    if (held === undefined || held === name) continue;
    // Some databases refuse a rename that only changes the case.
    if (held.toLowerCase() === name.toLowerCase()) move(id, asideName(held, [...names.values(), ...wanted.values()]));
    move(id, name);
  }
  return { renames, names };
}

function asideName(name: string, taken: readonly string[]): string {
  const used = new Set(taken.map((one) => one.toLowerCase()));
  const { schema, name: own } = partsOfTable(name);
  let aside = tableIn(schema, `_was_${own}`);
  for (let count = 2; used.has(aside.toLowerCase()); count++) aside = tableIn(schema, `_was_${own}_${count}`);
  return aside;
}
