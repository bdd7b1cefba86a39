/** How MariaDB and MySQL put transactions in the order in which they become visible: each takes the next number as the last thing it does. */
import type { ColumnShape, CommitOrder, TableShape } from "../../../ddl.ts";

const integer = (name: string): ColumnShape => ({ name, storage: "integer", optional: false, serial: false, references: null });

/** One row: the last number that was taken. */
const counter: TableShape = { name: "_commits", columns: [integer("id"), integer("last")], key: ["id"] };

/**
 * Neither server tells which transactions a snapshot sees, so commits are numbered. A transaction's rows bear its connection's
 * number, below zero, until it ends: nobody else sees them by then, and a connection has one transaction at a time. Then it takes
 * the next number under the lock of the one row, and holds that until it is committed: InnoDB makes a transaction visible before
 * it gives its locks back. So whoever sees a number sees every lower one, and every number that can be seen is settled.
 */
export const createCommits = (integer: string): CommitOrder =>
  Object.freeze<CommitOrder>({
    column: { type: integer, fill: "(-connection_id())" },
    bind: (parameter) => `cast(${parameter} as signed)`,
    settled: (column) => `${column} > 0`,
    seal(quote, table, column) {
      const [numbers, id, last, own] = [counter.name, "id", "last", column].map(quote);
      return [
        `insert into ${numbers} (${id}, ${last}) values (1, 1) on duplicate key update ${last} = ${last} + 1`,
        `update ${quote(table)} set ${own} = (select ${last} from ${numbers} where ${id} = 1) where ${own} = -connection_id()`,
      ];
    },
    // No transaction takes the number 1 from now on: the counter stands at it.
    settle(quote, table, column) {
      const [numbers, id, last, own] = [counter.name, "id", "last", column].map(quote);
      return [
        `INSERT INTO ${numbers} (${id}, ${last}) VALUES (1, 1) ON DUPLICATE KEY UPDATE ${last} = ${last}`,
        `UPDATE ${quote(table)} SET ${own} = 1 WHERE ${own} < 0`,
      ];
    },
    tables: [counter],
  });
