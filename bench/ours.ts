/** The server that is measured: Holdfast as in production, with tokens, rules, limits, log and timing. Talks to the bench over IPC. */
import { createActor, createApp } from "holdfast";
import { measured } from "./backend.ts";

const [, , database, secret = ""] = process.argv;
const app = await createApp(measured, { database: database ?? "", mode: "production", host: "127.0.0.1", port: 0, secret });
const { port } = await app.start();
const token = await app.mint({ sub: "bench", roles: ["staff"], claims: { team: "red" } });
process.send?.({ port, token });

type Call = Parameters<typeof app.engine.execute>[0];

process.on("message", (asked: { readonly ask: "memory" | "statements"; readonly call: Call }) => {
  if (asked.ask === "memory") process.send?.({ bytes: process.memoryUsage().rss });
  else void countStatements(asked.call).then((statements) => process.send?.({ statements }));
});
process.on("disconnect", () => void app.stop());

/** SQL statements that one call costs, once its plan is known. */
async function countStatements(call: Call): Promise<number> {
  const actor = createActor("bench", ["staff"], { team: "red" });
  await app.engine.execute(call, { actor, requestId: null });
  return (await app.engine.execute(call, { actor, requestId: null })).statements;
}
