/** What is written while connections are lost: entries that anybody may write, also two at a time. */
import { backend, everyone, integer, text } from "holdfast";
import { entries } from "../crash/backend.ts";

export const faultBackend = backend({ entries }).action("pair", {
  input: { tag: text().max(100), value: integer() },
  access: () => everyone,
  run: ({ input, transaction }) =>
    transaction(async (tx) => {
      await tx.entries.create(input);
      return tx.entries.create({ ...input, value: input.value + 1 });
    }),
});
