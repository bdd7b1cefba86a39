/** A unit while it is compiled: whose row it writes, its steps so far, and how they name the row. */
import type { Dialect } from "../../drivers/dialect.ts";
import type { Field, Model } from "../../schema/schema.ts";
import type { Actor } from "../actor.ts";
import type { Select } from "../call.ts";
import type { View } from "../guard.ts";
import { bindTo } from "./form.ts";
import type { Target } from "./read.ts";
import { type Convert, markFor, type Slot } from "./slot.ts";
import type { StepTemplate } from "./unit.ts";

/** What is read back; null for nothing. */
export type ReadBack = { readonly select: Select | undefined } | null;

export interface WriteTarget extends Target {
  readonly view: View;
  readonly actor: Actor;
}

export const asIs: Convert = (value) => value as ReturnType<Convert>;

/** Marks and steps of a unit while it is compiled. */
export interface Draft {
  readonly model: Model;
  readonly target: WriteTarget;
  readonly steps: StepTemplate[];
  /** Slots of the key's parts. */
  readonly key: readonly Slot[];
}

export function keyCondition(draft: Draft, alias: string | null, slots: { all: Slot[] }): string {
  const { dialect } = draft.target;
  const prefix = alias === null ? "" : `${alias}.`;
  return draft.model.key
    .map((field, index) => {
      const value = bindTo(field, markFor(slots, draft.key[index] as Slot), dialect);
      return `${prefix}${dialect.quote(field.column)} = ${value}`;
    })
    .join(" and ");
}

export function versionIs({ model, target }: Draft, alias: string | null, value: string): string {
  const field = model.version as Field;
  return `${alias === null ? "" : `${alias}.`}${target.dialect.quote(field.column)} = ${bindTo(field, value, target.dialect)}`;
}

export function nowIn(field: Field, slots: { all: Slot[] }, dialect: Dialect): string {
  return bindTo(field, markFor(slots, { from: "now" }), dialect);
}
