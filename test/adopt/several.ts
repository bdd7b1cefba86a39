/** Tables in several schemas of PostgreSQL: of one name, with keys from one to the other, and in a schema whose name is hard to write. */

export const severalSchemas = `CREATE SCHEMA sales; CREATE SCHEMA stock; CREATE SCHEMA "odd ""one"".two";
  CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
  CREATE TYPE sales.state AS ENUM ('open', 'paid');
  CREATE TABLE stock.items (id integer PRIMARY KEY, title varchar(40) NOT NULL, UNIQUE (title));
  CREATE TABLE sales.orders (id bigserial PRIMARY KEY, buyer_id integer NOT NULL REFERENCES people (id), state sales.state NOT NULL DEFAULT 'open');
  CREATE TABLE sales.items (order_id bigint NOT NULL REFERENCES sales.orders (id) ON DELETE CASCADE, item_id integer NOT NULL REFERENCES stock.items (id),
    amount integer NOT NULL CHECK (amount > 0), PRIMARY KEY (order_id, item_id));
  CREATE INDEX by_amount ON sales.items (amount); CREATE INDEX by_buyer ON sales.orders (buyer_id);
  CREATE VIEW sales.open_orders AS SELECT id, buyer_id FROM sales.orders WHERE state = 'open';
  CREATE TABLE "odd ""one"".two"."a.b" (id integer PRIMARY KEY, "c.d" text, person_id integer REFERENCES people (id));
  INSERT INTO people VALUES (1, 'Ada'), (2, 'Bea'); INSERT INTO stock.items VALUES (1, 'pen'), (2, 'ink');
  INSERT INTO sales.orders (buyer_id, state) VALUES (1, 'paid'), (2, 'open'); INSERT INTO sales.items VALUES (1, 1, 3), (1, 2, 1), (2, 1, 5);
  INSERT INTO "odd ""one"".two"."a.b" VALUES (1, 'dots', 2)`;

/** As `--schema` takes them. */
export const allSchemas = 'public,sales,stock,odd "one".two';
