/** Writes to adopted tables: the row is as the database would have it, its record stands beside, and no version is asked for. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { answerOf, createPlace, makeDatabase, type Place, queryFile, type Row, type Served } from "./place.ts";

const tables = `
CREATE TABLE Customer (
  CustomerId INTEGER PRIMARY KEY,
  Name VARCHAR(40) NOT NULL UNIQUE,
  Balance NUMERIC(10,2) NOT NULL DEFAULT 0,
  Rating TEXT CHECK (Rating IN ('A', 'B')),
  Age INTEGER CHECK (Age BETWEEN 0 AND 150),
  Vip BOOLEAN NOT NULL DEFAULT 0,
  Since DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  Seen DATETIME,
  Token TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)))),
  Label TEXT GENERATED ALWAYS AS (Name || '!') VIRTUAL,
  CHECK (length(Name) > 1)
);
CREATE TABLE purchase_order (
  code TEXT PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES Customer (CustomerId) ON DELETE CASCADE,
  buyer_id INTEGER REFERENCES Customer (CustomerId) ON DELETE SET NULL
);
CREATE TABLE order_line (
  order_code TEXT NOT NULL REFERENCES purchase_order (code),
  position INTEGER NOT NULL,
  amount DECIMAL(8, 3) NOT NULL,
  PRIMARY KEY (order_code, position)
);
CREATE TABLE note (order_code TEXT NOT NULL, position INTEGER NOT NULL, text TEXT, id INTEGER PRIMARY KEY,
  FOREIGN KEY (order_code, position) REFERENCES order_line (order_code, position));
INSERT INTO Customer (Name, Balance, Seen, Vip) VALUES ('Ann', 10.10, 1700000000, 1), ('Bob', 0.3, 1700000001, 0);
`;

describe("writes", () => {
  const state: { place: Place | null; served: Served | null } = { place: null, served: null };
  const place = () => state.place as Place;
  const served = () => state.served as Served;
  const rows = (sql: string) => queryFile(join(place().path, "shop.db"), sql);
  const send = (line: string, data?: unknown, headers = {}) => {
    const [method = "GET", path = ""] = line.split(" ");
    return served().ask(path, { method, headers, ...(data === undefined ? {} : { body: JSON.stringify(data) }) });
  };

  before(async () => {
    state.place = createPlace();
    makeDatabase(join(place().path, "shop.db"), tables);
    const { code, err, out } = await place().run("adopt", "shop.db", "--read-only-for", "staff");
    assert.equal(code, 0, err);
    assert.match(out, /5 models|4 models/);
    const text = place().read("backend.ts").replaceAll('read: me.has("staff")', 'read: me.has("staff"), write: me.has("staff")');
    const { writeFileSync } = await import("node:fs");
    writeFileSync(join(place().path, "open.ts"), text);
    state.served = await place().serve({ file: "open.ts", database: `sqlite:${join(place().path, "shop.db")}` });
  });

  after(async () => {
    await state.served?.app.stop();
    state.place?.remove();
  });

  test("the file says what the database says, and type-checks", async () => {
    const text = place().read("backend.ts");
    for (const line of [
      'customerId: serial().column("CustomerId", "INTEGER")',
      'name: text().max(40).unique().column("Name", "VARCHAR(40)")',
      'balance: decimal(10, 2).default("0").column("Balance", "NUMERIC(10,2)")',
      'rating: choice("A", "B").optional().column("Rating", "TEXT")',
      'age: integer().min(0).max(150).optional().column("Age", "INTEGER")',
      'vip: boolean().default(false).column("Vip", "BOOLEAN")',
      'since: datetime().default(now).column("Since", "DATETIME")',
      'seen: datetime().optional().column("Seen", "DATETIME unix")',
      'token: text().default(byDatabase).column("Token", "TEXT")',
      'label: text().optional().readOnly().default(byDatabase).column("Label", "TEXT")',
      'customer: belongsTo(() => customers, { inverse: "purchaseOrdersByCustomer", onDelete: "cascade" })',
      '.key("order", "position")',
      'orderLine: belongsTo(() => orderLines, { inverse: "notes" }).column("order_code", "position")',
    ])
      assert.ok(text.includes(line), `${line}\n${text}`);
    assert.equal(await place().typeErrors(), "");
  });

  test("a create leaves to the database what it gives", async () => {
    const { status, body, headers } = await send("POST customers", {
      name: "Cid",
      balance: "12.34",
      seen: "2026-01-02T03:04:05Z",
    });
    assert.equal(status, 201, JSON.stringify(body));
    assert.equal(headers.get("etag"), null);
    assert.deepEqual(
      { ...body, since: "", token: "" },
      {
        customerId: 3,
        name: "Cid",
        balance: "12.34",
        rating: null,
        age: null,
        vip: false,
        since: "",
        seen: "2026-01-02T03:04:05.000Z",
        token: "",
        label: "Cid!",
      },
    );
    assert.match(body.token, /^[0-9a-f]{8}$/);
    const [row] = rows(`SELECT typeof(Balance), Balance, Seen, Vip, Since FROM Customer WHERE CustomerId = 3`);
    assert.deepEqual(row?.slice(0, 4), ["real", 12.34, 1767323045, 0]);
    assert.match(String(row?.[4]), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})?$/);
  });

  test("changes, sums and comparisons keep to the cent", async () => {
    for (let times = 0; times < 3; times++) await send("PATCH customers/2", { balance: { $add: "0.1" } });
    const { body } = await send("PATCH customers/2", { vip: true });
    assert.equal(body.balance, "0.60");
    assert.equal((await answerOf(served(), "customers?filter[balance]=0.6")).data.length, 1);
    assert.equal((await answerOf(served(), "customers?filter[vip]=true")).data.length, 2);
    assert.equal(
      (await answerOf(served(), "customers?filter[seen][gt]=2023-11-14T22:13:20Z&filter[seen][lt]=2024-01-01T00:00:00Z")).data
        .length,
      1,
    );
  });

  test("what the database alone knows is refused as input, and what the file knows before it gets there", async () => {
    const short = await send("POST customers", { name: "X" });
    assert.deepEqual([short.status, short.body.errors[0].code], [422, "check"]);
    assert.deepEqual(
      (await send("POST customers", { name: "Dan", rating: "C", age: 200 })).body.errors.map((one: Row) => one.code),
      ["choice", "max"],
    );
    assert.equal((await send("POST customers", { name: "Ann" })).status, 409);
    assert.equal((await send("POST customers", { name: "Eve", label: "no" })).status, 422);
  });

  test("there is no version to match", async () => {
    const { status, body } = await send("PATCH customers/1", { age: 3 }, { "if-match": '"1"' });
    assert.deepEqual([status, body.code], [400, "no_version"]);
    assert.equal((await send("DELETE customers/1", undefined, { "if-match": "*" })).status, 400);
    assert.equal((await send("GET customers/1", undefined, { "if-none-match": '"1"' })).status, 200);
    await assert.rejects((served().app.system as Row).customers.update(1, { age: 4 }, { ifVersion: 1 }), { code: "no_version" });
  });

  test("keys of the caller's, PUT, composite keys and cascades", async () => {
    assert.equal((await send("PUT purchaseOrders/A1", { customer: 1, buyer: 2 }, { "if-none-match": "*" })).status, 201);
    assert.equal((await send("PUT purchaseOrders/A1", { customer: 1 }, { "if-none-match": "*" })).status, 412);
    assert.equal((await send("POST orderLines", { order: "A1", position: 1, amount: "1.005" })).status, 201);
    assert.equal((await send("POST notes", { orderLine: "A1,1", text: "hi" })).status, 201);
    assert.deepEqual(await answerOf(served(), "orderLines/A1,1?fields=amount,notes.text,order.customer.name"), {
      amount: "1.005",
      notes: [{ text: "hi" }],
      order: { customer: { name: "Ann" } },
    });
    assert.equal((await send("DELETE customers/1")).status, 409);
    await send("DELETE notes/1");
    await send("DELETE orderLines/A1,1");
    assert.equal((await send("DELETE customers/2")).status, 204);
    assert.equal((await answerOf(served(), "purchaseOrders/A1")).buyer, null);
    assert.equal((await send("DELETE customers/1")).status, 204);
    assert.deepEqual(rows("SELECT * FROM purchase_order"), []);
  });

  test("every change has its record beside, and a keyed request runs once", async () => {
    const key = { "idempotency-key": "k-1" };
    const [first, second] = [
      await send("POST customers", { name: "Kay" }, key),
      await send("POST customers", { name: "Kay" }, key),
    ];
    assert.deepEqual(
      [second.status, second.body.customerId, second.headers.get("idempotency-replayed")],
      [201, first.body.customerId, "true"],
    );
    const records = queryFile(
      join(place().path, "shop.db.holdfast.db"),
      "SELECT model, kind, row_id, version, after FROM _changes ORDER BY seq",
    );
    assert.deepEqual(records.at(-1)?.slice(0, 4), ["customers", "insert", String(first.body.customerId), 0]);
    assert.equal(JSON.parse(String(records.at(-1)?.[4])).balance, "0.00");
    assert.deepEqual(
      rows("SELECT name FROM sqlite_schema WHERE name GLOB '_*' AND name NOT GLOB '[a-zA-Z]*' AND name NOT LIKE 'sqlite%'"),
      [],
    );
  });
});
