/** The OpenAPI document: well-formed to a foreign validator, exact, silent about what is hidden, and full of examples that work. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { createFreshApp } from "./fresh.ts";
import type { Json } from "../src/schema/value.ts";
import { createConformance, createValidator, documentId, type Exchanged } from "./openapi/answers.ts";
import { backendOfAll } from "./openapi/backend.ts";
import { documentOf } from "./openapi/document.ts";
import { collectExamples, collectOperations, findDeadReferences, type Node } from "./openapi/walk.ts";

const app = await createFreshApp(backendOfAll, { log: false });
const document = documentOf(app.engine);
const { schemas, parameters } = document["components"] as unknown as Components;
const staff = `Bearer ${await app.mint({ sub: "staff-1", roles: ["staff"] })}`;
after(() => app.stop());

interface Components {
  readonly schemas: Readonly<Record<string, Component | undefined>>;
  readonly parameters: Readonly<Record<string, Parameter>>;
}
interface Component {
  readonly properties: Readonly<Record<string, Node>>;
  readonly required: readonly string[];
  readonly examples?: readonly Json[];
}
interface Parameter {
  readonly name: string;
  readonly schema?: { readonly examples?: readonly string[] };
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: object }>>;
}

/** Sends a request such as "GET /api/films" as staff, and holds the answer against the document. */
async function ask(line: string, body?: unknown, headers: Record<string, string> = {}): Promise<Exchanged> {
  const [method = "", path = ""] = line.split(" ");
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const response = await app.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: { authorization: staff, ...type, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  const exchanged = {
    method,
    path,
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
    body,
  };
  assert.deepEqual(createConformance(document)(exchanged), [], `${line} ${exchanged.status} ${exchanged.text}`);
  return exchanged;
}

/** The same, where the status is known; gives the row. */
async function done(status: number, line: string, body?: unknown): Promise<Record<string, string>> {
  const exchanged = await ask(line, body);
  assert.equal(exchanged.status, status, `${line}: ${exchanged.text}`);
  return exchanged.text === "" ? {} : (JSON.parse(exchanged.text) as Record<string, string>);
}

describe("the document", () => {
  test("is OpenAPI 3.1 to a foreign validator", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document) as Record<string, unknown>);
    assert.ok(valid, JSON.stringify(errors));
  });

  test("planted faults are refused by that validator", async () => {
    const plant = async (change: (copy: ReturnType<typeof copyOf>) => void) => {
      const copy = copyOf(document);
      change(copy);
      return (await new Validator().validate(copy as Record<string, unknown>)).valid;
    };
    assert.equal(await plant(() => {}), true);
    assert.equal(
      await plant(({ paths }) => delete paths["/api/films"]["get"]["responses"]),
      true,
      "3.1 allows no responses at all",
    );
    assert.equal(await plant(({ paths }) => (paths["/api/films"]["get"]["responses"]["200"] = { description: 7 })), false);
    assert.equal(await plant(({ paths }) => (paths["/api/films"]["get"]["parameters"] = [{ name: "a", in: "nowhere" }])), false);
  });

  test("has schemas of JSON Schema 2020-12", () => {
    const compile = (given: Node) => {
      const validator = createValidator(given);
      const { schemas = {} } = given["components"] as Readonly<Record<string, Node>>;
      for (const name of Object.keys(schemas)) validator.compile({ $ref: `${documentId}#/components/schemas/${name}` });
    };
    compile(document);
    const copy = copyOf(document);
    copy.components["schemas"]["films.Row"]["properties"]["title"]["type"] = "row";
    assert.throws(() => compile(copy as unknown as Node));
  });

  test("refers to nothing that is not there", () => {
    assert.deepEqual(findDeadReferences(document), []);
    const copy = copyOf(document);
    delete copy.components["schemas"]["films.Row"];
    assert.ok(findDeadReferences(copy as unknown as Node).length > 0);
  });

  test("has every operation once, named, summed up and tagged, with an answer that is well", () => {
    const operations = collectOperations(document);
    const ids = operations.map(({ node }) => node["operationId"] as string);
    assert.equal(new Set(ids).size, ids.length);
    for (const model of ["films", "people"]) {
      for (const action of ["list", "query", "aggregate", "create", "updateMany", "deleteMany", "get", "update", "put", "delete"])
        assert.ok(ids.includes(`${model}.${action}`), `${model}.${action}`);
    }
    for (const id of ["films.restore", "batch", "double", "double.post", "restock", "health.live", "health.ready"])
      assert.ok(ids.includes(id), id);
    const tags = new Set((document["tags"] as readonly Node[]).map(({ name }) => name));
    for (const { node, path } of operations) {
      assert.ok((node["summary"] as string).length > 0, path);
      assert.ok(
        (node["tags"] as readonly Json[]).every((tag) => tags.has(tag)),
        path,
      );
      assert.ok(
        Object.keys(node["responses"] as Node).some((status) => /^2\d\d$/.test(status)),
        path,
      );
    }
  });

  test("leaves out what cannot be done", () => {
    const ids = new Set(collectOperations(document).map(({ node }) => node["operationId"]));
    for (const id of [
      "people.restore",
      "notes.put",
      "notes.updateMany",
      "letters.list",
      "letters.get",
      "letters.update",
      "letters.delete",
    ])
      assert.ok(!ids.has(id), id);
    assert.ok(ids.has("letters.create"));
  });

  test("never names what is hidden, and what nobody may do", () => {
    const text = JSON.stringify(document);
    assert.doesNotMatch(text, /secret|vaults|combination/i);
    // A field that nobody reads and some may write stands in inputs only.
    const has = (name: string) => "key" in (schemas[name]?.properties ?? {});
    assert.deepEqual(["notes.Row", "notes.Selection", "notes.Filter", "notes.Create", "notes.Update"].map(has), [
      false,
      false,
      false,
      true,
      true,
    ]);
  });

  test("says which fields may be absent or null", () => {
    const films = schemas["films.Row"];
    assert.ok(films && !films.required.includes("cost") && films.required.includes("price"));
    assert.deepEqual(schemas["notes.Row"]?.properties["draft"]?.["type"], ["string", "null"]);
    assert.deepEqual(films.properties["price"]?.["type"], "string");
  });

  test("has examples that fit their schemas", () => {
    const validator = createValidator(document);
    const examples = collectExamples(document);
    assert.ok(examples.length > 50);
    for (const { place, schema, value } of examples) {
      const validate = validator.compile(schema);
      assert.ok(validate(value), `${place}: ${JSON.stringify(value)} ${JSON.stringify(validate.errors)}`);
    }
  });

  test("is made in the same words each time", () => {
    assert.equal(JSON.stringify(documentOf(app.engine)), JSON.stringify(document));
  });
});

/** A copy to plant faults in. */
function copyOf(given: Node) {
  // oxlint-disable-next-line typescript/no-explicit-any
  return structuredClone(given) as { paths: Record<string, any>; components: Record<string, any> };
}

describe("what is served", () => {
  test("rows with every type of field, whole and in parts", async () => {
    const director = await done(201, "POST /api/people", { name: "Agnès Varda", profile: { about: "Photographer." } });
    const input = {
      title: "Cléo",
      code: "AB-1",
      handle: "cleo",
      rating: "PG",
      price: "12.5",
      cost: 3,
      stock: 2,
      views: "9007199254740993",
      score: 0.5,
      isNew: false,
      releasedAt: "1962-04-11T20:00:00+01:00",
      releasedOn: "1962-04-11",
      startsAt: "20:30",
      reference: "0198B0AA-0000-7000-8000-000000000009",
      contact: "ada@example.com",
      site: "https://example.com/cleo",
      poster: "aGVsbG8=",
      tags: ["new", "wave"],
      prices: ["1.00", 2],
      notes: { any: [1, "b", null] },
      origin: { country: "FR", budget: { amount: "10.00" } },
      director: director["id"],
      scenes: [{ place: "Paris", minutes: 90 }],
    };
    const film = await done(201, "POST /api/films", input);
    const path = `/api/films/${film["id"]}`;
    await done(200, `GET ${path}`);
    await done(200, `GET ${path}?expand=director,scenes,cast,sequels,sequelOf`);
    await done(200, `GET ${path}?fields=title,director.name,scenes.place&expand[scenes][limit]=1`);
    await done(200, `PATCH ${path}`, { stock: { $add: -1 }, views: { $add: "2" }, price: { $add: "0.50" }, rating: null });
    await done(200, `PUT ${path}`, { title: "Cléo 5–7", price: "1.00", reference: input.reference.toLowerCase() });
    await done(200, "GET /api/people?expand=films,profile&count=exact");
    await done(201, "POST /api/roles", { film: film["id"], person: director["id"], name: "Self" });
    await done(200, `GET /api/roles/${film["id"]},${director["id"]}`);
    await done(200, `GET ${path}?expand=cast&expand[cast][sort]=-name`);
    await done(204, `DELETE ${path}`);
    await done(200, `POST ${path}/restore`);
    await done(
      200,
      "GET /api/films/aggregate?group=rating,month(createdAt)&sum=stock,price,views&avg=price,score&min=title,releasedOn&max=views&count=*,rating",
    );
  });

  test("rows of other callers, of counted keys, and of models that nobody reads", async () => {
    const open = await done(201, "POST /api/notes", { body: "open", draft: "d", key: "k" });
    await done(201, "POST /api/notes", { body: "closed", draft: "d" });
    assert.equal((await ask(`PATCH /api/notes/${open["number"]}`, { draft: null })).status, 428);
    assert.equal((await ask("GET /api/notes", undefined, { authorization: "" })).status, 401);
    for (const path of ["/api/notes?sort=-number", `/api/notes/${open["number"]}`]) await done(200, `GET ${path}`);
    assert.equal((await ask("POST /api/letters", { body: "dear" })).text, "");
    assert.equal((await ask("GET /api/letters")).status, 403);
    assert.equal((await ask("GET /api/vaults")).status, 403);
    assert.equal((await ask("GET /api/nowhere")).status, 404);
  });

  test("the examples of bodies and parameters", async () => {
    for (const { path, method, body } of bodiesWithExamples()) {
      const { status, text } = await ask(`${method} ${path}`, body);
      assert.ok(status < 300, `${method} ${path} ${JSON.stringify(body)}: ${text}`);
    }
    for (const path of readsWithExamples()) assert.equal((await ask(`GET ${path}`)).status, 200, path);
  });
});

/** Creates and queries as the examples say them; those that need another row's key are left out. */
function bodiesWithExamples(): { path: string; method: string; body: Json }[] {
  const example = (name: string) => schemas[name]?.examples?.[0] as Json;
  const creates = ["people", "films", "notes", "countries", "letters"].map((model) => ({
    path: `/api/${model}`,
    method: "POST",
    body: example(`${model}.Create`),
  }));
  const queries = ["people", "films", "notes", "countries", "scenes"].map((model) => ({
    path: `/api/${model}/query`,
    method: "POST",
    body: example(`${model}.Query`),
  }));
  const action = { path: "/api/actions/double", method: "POST", body: { of: 3, by: 3 } };
  return [...creates, ...queries, action, { path: "/api/countries/CZ", method: "PUT", body: example("countries.Put") }];
}

/** A request for each example of a parameter of a list, by the text that stands in its summary. */
function readsWithExamples(): string[] {
  return Object.entries(parameters).flatMap(([key, { name, schema, examples = {} }]) => {
    const [model, kind] = key.split(".");
    const isAggregate = ["group", "sum", "avg", "min", "max", "countOf"].includes(kind ?? "");
    const base = `/api/${model}${isAggregate ? "/aggregate" : ""}`;
    if (kind === undefined || kind === "onConflict") return [];
    const named = Object.values(examples).filter(({ value }) => Object.keys(value).length > 0);
    const plain = schema?.examples ?? [];
    return [
      ...named.map(({ summary }) => `${base}?${encodeURI(summary)}`),
      ...plain.map((value) => `${base}?${name}=${encodeURIComponent(value)}`),
    ];
  });
}

describe("planted faults of answers", () => {
  const row = (change: object): Exchanged => {
    const example = schemas["countries.Row"]?.examples?.[0] as object;
    return { method: "GET", path: "/api/countries/AB", status: 200, headers, text: JSON.stringify({ ...example, ...change }) };
  };
  const headers = { "content-type": "application/json", "x-request-id": "r", "server-timing": "total;dur=1", etag: '"1"' };
  const faultsOf = (exchanged: Exchanged, changed = document) => createConformance(changed)(exchanged);

  test("a good answer has none", () => assert.deepEqual(faultsOf(row({})), []));
  test("a wrong type", () => assert.match(faultsOf(row({ name: 7 })).join(), /name must be string/));
  test("a missing field", () => assert.match(faultsOf(row({ name: undefined })).join(), /required property 'name'/));
  test("a field that is not in the document", () =>
    assert.match(faultsOf(row({ secretCode: "x" })).join(), /additional properties/));
  test("a status", () => assert.match(faultsOf({ ...row({}), status: 299 }).join(), /does not know/));
  test("another type of body", () =>
    assert.notDeepEqual(faultsOf({ ...row({}), headers: { ...headers, "content-type": "text/html" } }), []));
  test("a lost header", () => assert.match(faultsOf({ ...row({}), headers: { ...headers, location: "/x" } }).join(), /location/));
  test("a method", () => assert.match(faultsOf({ ...row({}), method: "POST" }).join(), /not in the document/));
  test("a code of another operation", () => {
    const problem = {
      type: "/docs/errors#conflict",
      title: "Conflict",
      status: 400,
      detail: "d",
      instance: "/",
      code: "conflict",
      requestId: "r",
    };
    const type = { "content-type": "application/problem+json", "x-request-id": "r" };
    assert.match(faultsOf({ ...row({}), status: 400, headers: type, text: JSON.stringify(problem) }).join(), /allowed values/);
  });
  test("a body that was taken and is not in the document", () => {
    const sent = { ...row({}), method: "POST", path: "/api/countries", status: 201, body: { code: "AB", name: "A", more: 1 } };
    assert.match(faultsOf(sent).join(), /the body that was sent/);
  });
  test("a document with a response missing", () => {
    const copy = copyOf(document);
    delete copy.paths["/api/countries/{code}"]["get"]["responses"]["200"];
    assert.match(faultsOf(row({}), copy as unknown as Node).join(), /answered 200, which the document does not know/);
  });
});
