/** MariaDB databases that are adopted as a user would, and served with staff allowed to write. */
import assert from "node:assert/strict";
import { createConnection } from "mysql2/promise";
import { freshDatabase } from "../servers/databases.ts";
import { queryMariadb } from "../servers/mariadb.ts";
import { serviceUrl } from "../servers/names.ts";
import { createPlace, opened, type Place, type Served } from "./place.ts";

export interface Adopted {
  readonly url: string;
  readonly place: Place;
  readonly served: Served;
  readonly out: string;
  /** Rows of a query, whose names are in double quotes; a scalar of any type is a text. */
  readonly query: (sql: string) => Promise<unknown[][]>;
  readonly stop: () => Promise<void>;
}

/** Runs SQL in a new database, adopts it, and serves it. */
export async function adopt(sql: string): Promise<Adopted> {
  const database = await freshDatabase(serviceUrl("mariadb"));
  const connection = await createConnection({
    uri: database.url,
    multipleStatements: true,
    dateStrings: true,
    rowsAsArray: true,
  });
  const place = createPlace();
  const remove = async () => {
    await connection.end();
    await database.drop();
    await queryMariadb(serviceUrl("mariadb"), `drop database if exists ${nameBeside(database.url)}`);
    place.remove();
  };
  try {
    await connection.query(`set time_zone = '+00:00'; ${sql}`);
    await connection.query("set sql_mode = concat(@@sql_mode, ',ANSI_QUOTES'), div_precision_increment = 12");
    const { code, out, err } = await place.run("adopt", database.url, "--read-only-for", "staff");
    assert.equal(code, 0, `${out}${err}`);
    place.write("open.ts", opened(place.read("backend.ts")));
    const served = await place.serve({ file: "open.ts", database: database.url });
    return {
      url: database.url,
      place,
      served,
      out,
      query: async (text) => (await connection.query(text))[0] as unknown[][],
      async stop() {
        await served.app.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The database in which the product's own tables stand. */
export function nameBeside(url: string): string {
  return `${new URL(url).pathname.slice(1)}_holdfast`;
}
