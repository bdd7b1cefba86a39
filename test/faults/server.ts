/** An app as a process of its own, to be stopped while its database is gone; says over IPC where it listens. */
import { createApp } from "holdfast";
import { faultBackend } from "./backend.ts";

const app = await createApp(faultBackend, { database: process.argv[2] ?? "", port: 0, log: false });
const { port } = await app.start();
process.send?.({ port });
// Nothing is left to keep the process alive, if stopping does what it says.
process.on("disconnect", () => void app.stop());
