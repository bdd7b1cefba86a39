/** What is written while the process is killed: entries that anybody may write. */
import { backend, everyone, integer, model, text } from "holdfast";

export const entries = model("entries", {
  /** The request that made it. */
  tag: text().max(100),
  value: integer(),
})
  .access(() => ({ read: everyone, write: everyone }))
  .timestamps()
  .index("tag");

export const ledgerBackend = backend({ entries });
