/** One of several processes that serve the film shop from one file; says over IPC where it listens. */
import { createApp } from "holdfast";
import { faultyStore } from "./backend.ts";

const app = await createApp(faultyStore, { database: `sqlite:${process.argv[2]}`, port: 0, log: false });
const { port } = await app.start();
process.send?.({ port });
process.on("disconnect", () => void app.stop());
