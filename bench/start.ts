/** The command line as it is measured: bundled with the backend, so that what is measured is what users run. */
import { main } from "../src/cli/main.ts";

process.exitCode = await main(process.argv.slice(2));
