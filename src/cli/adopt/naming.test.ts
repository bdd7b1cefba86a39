/** Tests of names: what tables, columns and keys are called once they are adopted. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fieldName, modelName, nameBy, oneOf, relationName, takeName } from "./naming.ts";

function check(name: (text: string) => string, cases: Readonly<Record<string, string>>): void {
  for (const [given, expected] of Object.entries(cases))
    test(`${JSON.stringify(given)} → ${expected}`, () => assert.equal(name(given), expected));
}

describe("models", () =>
  check(modelName, {
    Album: "albums",
    InvoiceLine: "invoiceLines",
    invoice_line: "invoiceLines",
    INVOICE_LINE: "invoiceLines",
    "order details": "orderDetails",
    Category: "categories",
    people: "people",
    person: "people",
    Address: "addresses",
    status: "statuses",
    HTTPLog: "httpLogs",
    media: "media",
    batch: "batches",
    actions: "actionsRows",
    bytes: "bytesRows",
    Straße: "strasses",
    "📦": "rows",
    "2fa": "x2Fas",
    Überschuß: "uberschusses",
  }));

describe("fields", () =>
  check(fieldName, {
    UnitPrice: "unitPrice",
    unit_price: "unitPrice",
    UNITPRICE: "unitprice",
    Größe: "grosse",
    group: "groupValue",
    in: "inValue",
    class: "class",
    'say "hi"': "sayHi",
    "🎂": "column",
    "": "column",
    address2: "address2",
    [`a${"b".repeat(80)}`]: `a${"b".repeat(62)}`,
  }));

describe("relations", () => {
  check((column) => relationName(column, { model: "artists", key: "code" }), {
    ArtistId: "artist",
    artist_id: "artist",
    ARTIST_ID: "artist",
    artistID: "artist",
    ReportsTo: "reportsTo",
    artist_code: "artist",
    code: "code",
    id: "artist",
    group_id: "groupValue",
  });
  test("one of many", () => {
    assert.equal(oneOf("invoiceLines"), "invoiceLine");
    assert.equal(oneOf("people"), "person");
    assert.equal(oneOf("statuses"), "status");
    assert.equal(nameBy("employees", "reportsTo"), "employeesByReportsTo");
  });
});

test("a name that is taken gets a number", () => {
  const used = new Set(["a", "b"]);
  assert.deepEqual([takeName(used, ["a", "c"]), takeName(used, ["a", "b"]), takeName(used, ["b"])], ["c", "b2", "b3"]);
});
