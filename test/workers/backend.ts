/** What workers serve in tests: entries, and an action that calls back and waits for the answer. */
import { backend, text } from "holdfast";
import { entries } from "../crash/backend.ts";

export const callingBackend = backend({ entries }).action("call", {
  input: { url: text() },
  access: ({ me }) => me.signedIn,
  run: async ({ input }) => ({ said: await (await fetch(input.url)).text() }),
});
