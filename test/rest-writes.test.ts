/** Writes of REST over real HTTP and a real database: bodies, preconditions, preferences, keys, bulk, upsert, batch and trash. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ask, check, type Reply, type Scenario } from "./rest/scenario.ts";
import { startStore } from "./rest/start.ts";

const started = await startStore();
const staff = ["staff"];
const film = (sku: string, more: object = {}) => ({ title: `Film ${sku}`, sku, rating: "PG", price: "1.00", ...more });

after(() => started.app.stop());

function run(scenario: Omit<Scenario, "name"> & { readonly name?: string }): Promise<Reply> {
  return check(started.target, { name: `${scenario.method} ${scenario.path}`, actor: staff, ...scenario });
}

async function made(sku: string): Promise<string> {
  const { headers } = await run({ method: "POST", path: "/api/films", body: film(sku), status: 201 });
  return String(headers["location"]);
}

describe("one row", () => {
  test("create answers 201 with place, tag and row", async () => {
    const reply = await run({
      method: "POST",
      path: "/api/films",
      body: film("one"),
      status: 201,
      contains: [/location: \/api\/films\/[\w-]+/, 'etag: "1"', '"sku":"one"'],
    });
    assert.equal(reply.headers["location"], `/api/films/${reply.json().id}`);
  });

  test("update merges, PUT replaces or creates, DELETE puts into the trash", async () => {
    const path = await made("two");
    await run({ method: "PATCH", path, body: { stock: 5 }, status: 200, contains: ['"stock":5', '"Film two"', 'etag: "2"'] });
    await run({
      method: "PATCH",
      path,
      headers: { "content-type": "application/merge-patch+json" },
      body: { stock: 6 },
      status: 200,
    });
    await run({ method: "PUT", path, body: film("two", { title: "New" }), status: 200, contains: ['"New"', '"stock":0'] });
    await run({ method: "DELETE", path, status: 204, lacks: ["\ncontent-type"] });
    await run({ path, status: 404 });
    await run({ path: `${path}?trash=only`, status: 200, contains: ['"New"'] });
    await run({ method: "POST", path: `${path}/restore`, status: 200, contains: ['"New"'] });
    await run({ path, status: 200 });
    await run({
      method: "PUT",
      path: "/api/genres/jazz%2Frock",
      body: { rank: 2 },
      status: 201,
      contains: ["location: /api/genres/jazz%2Frock"],
    });
  });

  test("who may not write is told no more than that", async () => {
    const path = await made("three");
    await run({ actor: null, method: "PATCH", path, body: { stock: 1 }, status: 401 });
    await run({ actor: ["buyer"], method: "PATCH", path, body: { stock: 1 }, status: 403, contains: ["forbidden"] });
  });

  test("preferences are honoured, and said to be", async () => {
    const headers = { prefer: "return=minimal" };
    const reply = await run({
      method: "POST",
      path: "/api/films",
      headers,
      body: film("four"),
      status: 201,
      contains: ["preference-applied: return=minimal", "content-length: 0"],
      lacks: ["Film"],
    });
    await run({
      method: "PATCH",
      path: String(reply.headers["location"]),
      headers,
      body: { stock: 1 },
      status: 204,
      contains: ["preference-applied"],
    });
    await run({
      method: "PATCH",
      path: String(reply.headers["location"]),
      headers: { prefer: "handling=strict, magic" },
      body: {},
      status: 400,
      contains: ["invalid_header", "magic"],
    });
    await run({
      method: "PATCH",
      path: String(reply.headers["location"]),
      headers: { prefer: "magic" },
      body: { stock: 2 },
      status: 200,
    });
  });

  test("faults of the input point at it", async () => {
    await run({
      method: "POST",
      path: "/api/films",
      body: { ...film("x"), titel: 1 },
      status: 422,
      contains: ['"pointer":"/titel"', 'Did you mean \\"title\\"?'],
    });
    await run({
      method: "POST",
      path: "/api/films",
      body: film("x", { price: "-1" }),
      status: 422,
      contains: ['"pointer":"/price"'],
    });
    await run({
      method: "POST",
      path: "/api/films",
      body: film("x", { title: 7 }),
      status: 422,
      contains: ['"pointer":"/title"'],
    });
    await run({ method: "POST", path: "/api/films", body: "7", status: 422, contains: ["invalid_input"] });
    await run({ method: "POST", path: "/api/films", body: film("one"), status: 409, contains: ["conflict"] });
    await run({
      method: "POST",
      path: "/api/films",
      body: [film("y"), film("z", { rating: "X" })],
      status: 422,
      contains: ['"pointer":"/1/rating"'],
    });
  });
});

describe("preconditions", () => {
  test("If-Match decides by the version", async () => {
    const path = await made("if");
    const patch = (tag: string, status: number, code = "") =>
      run({ method: "PATCH", path, headers: { "if-match": tag }, body: { stock: 1 }, status, contains: [code] });
    await patch('"1"', 200);
    await patch('"1"', 412, "precondition_failed");
    await patch('W/"2"', 412, "precondition_failed");
    await patch('"nonsense"', 412);
    await patch("2", 400, "invalid_header");
    await patch('"9", "2"', 200);
    await patch("*", 200);
    await run({ method: "DELETE", path, headers: { "if-match": '"1"' }, status: 412 });
    await run({ method: "DELETE", path, headers: { "if-match": '"4"' }, status: 204 });
    await run({ method: "DELETE", path, headers: { "if-match": '"4"' }, status: 404 });
  });

  test("PUT takes * both ways", async () => {
    const put = (name: string, headers: Record<string, string>, status: number) =>
      run({ method: "PUT", path: `/api/genres/${name}`, headers, body: { rank: 1 }, status });
    await put("new", { "if-match": "*" }, 412);
    await put("new", {}, 201);
    await put("new", { "if-none-match": "*" }, 412);
    await put("new", { "if-match": "*" }, 200);
  });

  test("PUT creates where there is nothing, if asked for that", {}, async () => {
    await run({ method: "PUT", path: "/api/genres/newer", headers: { "if-none-match": "*" }, body: { rank: 1 }, status: 201 });
  });

  test("a model may require a version", async () => {
    const { headers } = await run({ method: "POST", path: "/api/drafts", body: { body: "a" }, status: 201 });
    const path = String(headers["location"]);
    await run({ method: "PATCH", path, body: { body: "b" }, status: 428, contains: ["precondition_required"] });
    await run({ method: "PATCH", path, headers: { "if-match": '"1"' }, body: { body: "b" }, status: 200 });
  });

  test("a condition where there is no version is refused, not ignored", async () => {
    await run({
      method: "POST",
      path: "/api/films",
      headers: { "if-match": '"1"' },
      body: film("no"),
      status: 400,
      contains: ["invalid_header"],
    });
  });
});

describe("idempotency keys", () => {
  const key = { "idempotency-key": "order-1" };

  test("a repetition gets the stored answer", async () => {
    const first = await run({
      method: "POST",
      path: "/api/films",
      headers: key,
      body: film("key"),
      status: 201,
      lacks: ["idempotency-replayed"],
    });
    const again = await run({
      method: "POST",
      path: "/api/films",
      headers: key,
      body: film("key"),
      status: 201,
      contains: ["idempotency-replayed: true"],
    });
    assert.equal(again.text, first.text);
    for (const name of ["location", "etag", "content-type"]) assert.equal(again.headers[name], first.headers[name]);
    await run({
      method: "POST",
      path: "/api/films",
      headers: key,
      body: film("other"),
      status: 422,
      contains: ["idempotency_mismatch"],
    });
    await run({ method: "POST", path: "/api/genres", headers: key, body: { name: "keyed" }, status: 201 });
    await run({ actor: ["staff", "other"], method: "POST", path: "/api/films", headers: key, body: film("key2"), status: 201 });
  });

  test("a failed request leaves its key free", async () => {
    const headers = { "idempotency-key": "free" };
    await run({ method: "POST", path: "/api/films", headers, body: film("one-more", { price: "x" }), status: 422 });
    await run({ method: "POST", path: "/api/films", headers, body: film("one-more"), status: 201 });
  });

  test("a key that is none is refused", async () => {
    for (const bad of ["a b", "x".repeat(256), "é"]) {
      await run({
        method: "POST",
        path: "/api/films",
        headers: { "idempotency-key": bad },
        body: film("bad"),
        status: 400,
        contains: ["invalid_header"],
      });
    }
  });
});

describe("many rows", () => {
  test("bulk create, update and delete", async () => {
    const reply = await run({ method: "POST", path: "/api/films", body: [film("m1"), film("m2"), film("m3")], status: 201 });
    assert.deepEqual(
      reply.json().data.map((row) => row["sku"]),
      ["m1", "m2", "m3"],
    );
    const path = "/api/films?filter[sku][in]=m1,m2,m3";
    await run({ method: "PATCH", path, body: { stock: 9 }, status: 400, contains: ['"pointer":"?maxAffected"'] });
    await run({
      method: "PATCH",
      path: "/api/films?maxAffected=5",
      body: { stock: 9 },
      status: 400,
      contains: ['"pointer":"?filter"'],
    });
    await run({
      method: "PATCH",
      path: `${path}&maxAffected=2`,
      body: { stock: 9 },
      status: 409,
      contains: ["too_many_affected"],
    });
    await run({ method: "PATCH", path: `${path}&maxAffected=3`, body: { stock: 9 }, status: 200, contains: ['{"affected":3}'] });
    await run({
      method: "PATCH",
      path: "/api/films?filter[sku]=m1&filter[titel]=1&maxAffected=3",
      body: { stock: 9 },
      status: 400,
      contains: ["?filter[titel]"],
    });
    await run({ method: "DELETE", path: `${path}&maxAffected=3`, status: 200, contains: ['{"affected":3}'] });
  });

  test("upsert creates, updates or leaves alone", async () => {
    const path = "/api/films?onConflict=sku&onConflictDo=";
    await run({ method: "POST", path: `${path}update`, body: film("up"), status: 201, contains: ["location"] });
    await run({ method: "POST", path: `${path}update`, body: film("up", { stock: 4 }), status: 200, contains: ['"stock":4'] });
    await run({ method: "POST", path: `${path}nothing`, body: film("up", { stock: 5 }), status: 200, contains: ['"stock":4'] });
    await run({ method: "POST", path: `${path}replace`, body: film("up"), status: 400, contains: ["?onConflictDo"] });
    await run({
      method: "POST",
      path: "/api/films?onConflict=title",
      body: film("up"),
      status: 400,
      contains: ['"pointer":"?onConflict"'],
    });
    await run({ actor: ["buyer"], method: "POST", path: `${path}update`, body: film("up"), status: 403 });
  });

  test("a batch is whole or absent, and its operations refer to each other", async () => {
    const ops = [
      { id: "f", create: "films", data: film("batch") },
      { create: "reviews", data: { film: { $ref: "f.id" }, stars: 4 } },
    ];
    await run({
      method: "POST",
      path: "/api/batch",
      body: { atomic: true, ops },
      status: 200,
      contains: ['"id":"f"', '"status":201', '"stars":4'],
    });
    const broken = [
      { create: "films", data: film("batch2") },
      { create: "reviews", data: { film: "x", stars: 9 } },
    ];
    await run({ method: "POST", path: "/api/batch", body: { ops: broken }, status: 422, contains: ['"pointer":"/ops/1/data/'] });
    await run({ path: "/api/films?filter[sku]=batch2", status: 200, contains: ['"data":[]'] });
    await run({
      method: "POST",
      path: "/api/batch",
      body: { atomic: false, ops: broken },
      status: 200,
      contains: ['"status":201', '"status":422', '"error":{'],
    });
    await run({
      method: "POST",
      path: "/api/batch",
      body: { op: [] },
      status: 422,
      contains: ['"pointer":"/op"', '"pointer":"/ops"'],
    });
  });

  test("an action acts under its rule", async () => {
    const path = await made("act");
    const body = { film: path.split("/").at(-1), copies: 12 };
    await run({ method: "POST", path: "/api/actions/restock", body, status: 200 });
    await run({ path, status: 200, contains: ['"stock":12'] });
    await run({ actor: null, method: "POST", path: "/api/actions/restock", body, status: 401 });
    await run({
      method: "POST",
      path: "/api/actions/restock",
      body: { film: "x", copies: 0 },
      status: 422,
      contains: ['"pointer":"/copies"'],
    });
    await run({ method: "POST", path: "/api/actions/nothing", body, status: 404 });
  });
});

test("requests are logged without tokens, query values or bodies", async () => {
  await ask(started.target, {
    actor: staff,
    method: "POST",
    path: "/api/films?fields=id",
    body: film("secret-sku"),
    headers: { "x-request-id": "my-request", traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
  });
  await ask(started.target, { path: "/api/films?filter[title]=secret-value" });
  await new Promise((resolve) => setTimeout(resolve, 150));
  const all = started.lines.join("\n");
  assert.ok(!/secret|Bearer|eyJ/.test(all), all);
  const line = JSON.parse(started.lines.find((text) => text.includes("my-request")) ?? "{}") as Record<string, unknown>;
  assert.equal(line["status"], 201);
  assert.equal(line["actor"], "user-staff");
  assert.equal(line["operation"], "films.post");
  assert.equal(line["traceId"], "a".repeat(32));
});
