/** Holds a database of MariaDB or MySQL against what clients know, as `verify` does a file. */
import { queryMariadb } from "../servers/mariadb.ts";
import type { Ledger } from "./ledger.ts";
import { toChange, toImage } from "./verify-postgres.ts";
import { compare } from "./verify.ts";

/** Every fault, in words; none where all is well. What was uncertain is certain afterwards: the ledger takes it over. */
export async function verifyMysql(url: string, ledger: Ledger): Promise<string[]> {
  const inUtc = new URL(url);
  inUtc.searchParams.set("timezone", "Z");
  const images = (await queryMariadb(inUtc.href, "select * from entries")).map(toImage);
  const changes = await queryMariadb(inUtc.href, "select * from _changes where model = 'entries' order by seq");
  return compare(ledger, new Map(images.map((image) => [image.id, image])), changes.map(toChange));
}
