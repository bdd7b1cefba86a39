/** A process that follows the feed and says of each record that it has it; it is killed in the middle of that. */
import { openDatabase } from "../../src/app/wire.ts";
import { createFeed } from "../../src/engine/feed.ts";
import { limitDefaults } from "../../src/engine/limits.ts";

const [, , url = "", start = ""] = process.argv;
const pageRecords = 7;

const { database, dialect, ddl } = await openDatabase(url, () => {});
const read = createFeed({ database, dialect, commits: ddl.catalogue.commits, limits: limitDefaults });
for (let position = start === "" ? null : start; ; ) {
  const page = await read({ after: position, limit: pageRecords });
  position = page.position;
  for (const record of page.records) process.send?.(record);
  if (page.state !== "full") await new Promise((resolve) => setTimeout(resolve, 1));
}
