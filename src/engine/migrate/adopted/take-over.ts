/** Takes over tables that were adopted: puts them into the snapshot as they are found, and tells what stands against it. Pure. */
import type { Ddl } from "../../../drivers/ddl.ts";
import type { FoundTable } from "../../../drivers/found.ts";
import type { Schema } from "../../../schema/schema.ts";
import { identify } from "../snapshot/identity.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";
import type { Snapshot, SnapshotModel } from "../snapshot/snapshot-types.ts";
import { count, createStep, type Step } from "../steps/step.ts";
import { faultsOf } from "./faults.ts";
import { modelOf, type Taking } from "./found-model.ts";
import { linkModels } from "./link.ts";

/** What is there before anything is changed. */
export interface Grounded {
  /** The snapshot with the tables that are taken over, as they are, and without those that are left to others again. */
  readonly snapshot: Snapshot;
  /** Say so; they run nothing. */
  readonly steps: readonly Step[];
  /** Names of models that cannot be taken over. */
  readonly refused: ReadonlySet<string>;
}

export interface Grounding {
  readonly schema: Schema;
  readonly ddl: Ddl;
  /** Tables that are in the database, and not in the journal. */
  readonly found: ReadonlyMap<string, FoundTable>;
}

export function groundSnapshot(before: Snapshot, { schema, ddl, found }: Grounding): Grounded {
  const { ids, lastId } = identify(schema, before);
  const known = new Set(before.models.map(({ id }) => id));
  const taken = [...schema.models.values()].flatMap((model): Taking[] => {
    const table = found.get(model.table);
    const identity = ids.get(model.name);
    return model.takenOver && table && identity && !known.has(identity.id) ? [{ model, table, identity }] : [];
  });
  const left = leftOf(before, schema);
  if (taken.length === 0 && left.length === 0) return { snapshot: before, steps: [], refused: new Set() };
  const wanted = takeSnapshot(schema, before, ddl);
  const models = taken.map((taking) => modelOf(taking, { schema, ids, wanted }));
  const faults = new Map(taken.map(({ model, table }) => [model.name, faultsOf(model, table, ddl)]));
  const kept = before.models.filter((model) => !left.includes(model));
  return {
    snapshot: Object.freeze({ ...before, lastId, models: linkModels([...kept, ...models], before.models) }),
    steps: [...taken.map((taking) => takeStep(taking, faults.get(taking.model.name) ?? [])), ...left.map(leaveStep)],
    refused: new Set([...faults].filter(([, why]) => why.length > 0).map(([name]) => name)),
  };
}

/** Models that are in the journal, and that the file says are somebody else's again. */
function leftOf({ models }: Snapshot, schema: Schema): readonly SnapshotModel[] {
  const others = [...schema.models.values()].filter(({ adopted, takenOver }) => adopted && !takenOver);
  const migrated = new Set([...schema.models.values()].filter((model) => !others.includes(model)).map(({ table }) => table));
  return models.filter(({ table }) => !migrated.has(table) && others.some((model) => model.table === table));
}

function takeStep({ model, table }: Taking, faults: readonly string[]): Step {
  const columns = count(table.columns.length, "column");
  return createStep({
    kind: "take-over",
    model: model.name,
    table: model.table,
    work: "none",
    does: [`Takes the table ${model.table} over as it is, with ${columns}: migrations change it from now on.`],
    refusal: faults.length === 0 ? null : `The table ${model.table} cannot be taken over: ${faults.join("; ")}.`,
  });
}

function leaveStep({ name, table }: SnapshotModel): Step {
  return createStep({
    kind: "leave",
    model: name,
    table,
    work: "none",
    does: [`Leaves the table ${table} to others from now on, as it is.`],
  });
}
