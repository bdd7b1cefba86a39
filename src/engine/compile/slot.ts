/** Parameters of compiled SQL: marks in the text while it is made, positions in the end, and what is bound there. */
import type { Value } from "../../schema/value.ts";
import { isMisfit, type Misfit } from "../../schema/fields/field-type.ts";
import type { Actor } from "../actor.ts";

/** Turns what a caller sent, or a claim, into what the database compares with. */
export type Convert = (value: unknown) => Value | Misfit;

export type Slot =
  | { readonly from: "param"; readonly index: number; readonly convert: Convert }
  | { readonly from: "me"; readonly claim: string; readonly convert: Convert }
  | { readonly from: "now" }
  | { readonly from: "value"; readonly value: Value }
  /** What an earlier step of the same unit returned. */
  | { readonly from: "step"; readonly step: number; readonly column: number };

export interface Template {
  readonly text: string;
  readonly slots: readonly Slot[];
}

/** What the slots of a call are filled from. */
export interface Binding {
  readonly values: readonly unknown[];
  readonly actor: Actor;
  /** The instant of the request, ISO 8601. */
  readonly now: string;
}

const open = "\u0001";
const close = "\u0002";
const mark = /\u0001(\d+)\u0002/g;

/** Slots in the order they were asked for; a mark may then stand in the text any number of times. */
export interface Slots {
  readonly all: Slot[];
}

export function markFor(slots: Slots, slot: Slot): string {
  return `${open}${slots.all.push(slot) - 1}${close}`;
}

/** Replaces the marks by positional parameters. */
export function finish(text: string, slots: Slots): Template {
  const ordered: Slot[] = [];
  const finished = text.replace(mark, (_, index: string) => {
    ordered.push(slots.all[Number(index)] as Slot);
    return "?";
  });
  return Object.freeze({ text: finished, slots: ordered });
}

/** A value that did not fit its slot: the place of the parameter in the call, and why. */
export class Unfit extends Error {
  readonly index: number;
  readonly misfit: Misfit;
  constructor(index: number, misfit: Misfit) {
    super(misfit.misfit);
    this.index = index;
    this.misfit = misfit;
  }
}

/** Fills a slot; steps of a unit are filled by the database. @throws Unfit */
export function fill(slot: Exclude<Slot, { from: "step" }>, binding: Binding): Value {
  switch (slot.from) {
    case "param": {
      const value = slot.convert(binding.values[slot.index]);
      if (isMisfit(value)) throw new Unfit(slot.index, value);
      return value;
    }
    case "me": {
      const claim = slot.claim === "id" ? binding.actor.id : (binding.actor.claims[slot.claim] ?? null);
      const value = claim === null ? null : slot.convert(claim);
      // A claim that no such field could hold is equal to none of them.
      return isMisfit(value) ? null : value;
    }
    case "now":
      return binding.now;
    case "value":
      return slot.value;
  }
}
