/** Holds a PostgreSQL database against what clients know, as `verify` does a file. */
import { Client } from "pg";
import type { Ledger } from "./ledger.ts";
import { type ChangeRow, compare, type Image } from "./verify.ts";

/** Every fault, in words; none where all is well. What was uncertain is certain afterwards: the ledger takes it over. */
export async function verifyPostgres(url: string, ledger: Ledger): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>("select * from entries");
    const { rows: changes } = await client.query<Record<string, unknown>>(
      "select seq, row_id, kind, version, before, after from _changes where model = 'entries' order by seq",
    );
    const images = rows.map(toImage);
    return compare(ledger, new Map(images.map((image) => [image.id, image])), changes.map(toChange));
  } finally {
    await client.end();
  }
}

/** A row as a server's library gives it. */
export function toImage(row: Record<string, unknown>): Image {
  const { id, tag, created_at: created, updated_at: updated } = row;
  return {
    id: String(id),
    tag: String(tag),
    value: Number(row["value"]),
    createdAt: (created as Date).toISOString(),
    updatedAt: (updated as Date).toISOString(),
    version: Number(row["version"]),
  };
}

/** The same of a record; large integers may be texts. */
export function toChange(row: Record<string, unknown>): ChangeRow {
  return { ...row, seq: Number(row["seq"]), version: Number(row["version"]) } as ChangeRow;
}
