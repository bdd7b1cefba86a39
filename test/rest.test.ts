/** REST over real HTTP and a real database: the table of API.md, line by line. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ask, check, type Reply, type Scenario } from "./rest/scenario.ts";
import { startStore } from "./rest/start.ts";

const staff = ["staff"];
const started = await startStore();
after(() => started.app.stop());
const alien = await fillStore();

/** Three films, one of them with a director and reviews; returns that one's id. */
async function fillStore(): Promise<string> {
  const director = await create("people", { name: "Ridley Scott", country: "GB" });
  const first = await create("films", {
    title: "Alien",
    sku: "a1",
    rating: "R",
    price: "9.99",
    stock: 3,
    cost: "4.50",
    director,
  });
  await create("films", { title: "Blade Runner", sku: "b1", rating: "R", price: "12.00", director });
  await create("films", { title: "Bambi", sku: "c1", rating: "G", price: "5.00" });
  for (const stars of [5, 3, 1]) await create("reviews", { film: first, stars });
  for (const name of ["a/b", 'quo"te', "50%", "..", "query"]) await create("genres", { name });
  await create("shelves", { room: "a,b%", place: 7, label: "left" });
  return first;
}

async function create(model: string, data: unknown): Promise<string> {
  const reply = await ask(started.target, { actor: staff, method: "POST", path: `/api/${model}`, body: data });
  assert.equal(reply.status, 201, reply.text);
  return reply.json().id;
}

function run(scenario: Scenario): Promise<Reply> {
  return check(started.target, scenario);
}

function scenarios(list: readonly Scenario[]): void {
  for (const scenario of list) test(scenario.name, () => run(scenario).then(() => {}));
}

describe("reading", () => {
  scenarios([
    {
      name: "a list",
      path: "/api/films",
      status: 200,
      contains: ['{"data":[{"id":', '"page":{"next":null,"prev":null}}', "content-type: application/json"],
      lacks: ["cost", "etag"],
    },
    { name: "a list for staff", actor: staff, path: "/api/films", status: 200, contains: ['"cost":"4.50"'] },
    {
      name: "a filter",
      path: "/api/films?filter[price][gte]=9.99&sort=price",
      status: 200,
      contains: [/Alien.*Blade/],
      lacks: ["Bambi"],
    },
    {
      name: "a filter over a relation",
      path: "/api/films?filter[director.country]=GB",
      status: 200,
      contains: ["Alien", "Blade"],
      lacks: ["Bambi"],
    },
    {
      name: "logic",
      path: "/api/films?filter[or][0][title]=Bambi&filter[or][1][title][startsWith]=Al",
      status: 200,
      contains: ["Alien", "Bambi"],
      lacks: ["Blade"],
    },
    { name: "not", path: "/api/films?filter[not][rating]=R", status: 200, contains: ["Bambi"], lacks: ["Alien"] },
    {
      name: "in as a list",
      path: "/api/films?filter[sku][in]=a1,c1&sort=sku",
      status: 200,
      contains: [/Alien.*Bambi/],
      lacks: ["Blade"],
    },
    {
      name: "in repeated",
      path: "/api/films?filter[sku][in]=a1&filter[sku][in]=c1",
      status: 200,
      contains: ["Alien", "Bambi"],
      lacks: ["Blade"],
    },
    {
      name: "in indexed",
      path: "/api/films?filter[sku][in][0]=a1&filter[sku][in][]=c1",
      status: 200,
      contains: ["Alien", "Bambi"],
      lacks: ["Blade"],
    },
    {
      name: "between",
      path: "/api/films?filter[price][between]=5,10",
      status: 200,
      contains: ["Alien", "Bambi"],
      lacks: ["Blade"],
    },
    { name: "isNull", path: "/api/films?filter[director][isNull]=true", status: 200, contains: ["Bambi"], lacks: ["Alien"] },
    { name: "some", path: "/api/films?filter[reviews][some][stars][gte]=5", status: 200, contains: ["Alien"], lacks: ["Bambi"] },
    { name: "search", path: "/api/films?filter[search]=blade", status: 200, contains: ["Blade Runner"], lacks: ["Alien"] },
    {
      name: "encoded brackets",
      path: "/api/films?filter%5Btitle%5D=Blade+Runner",
      status: 200,
      contains: ["Blade Runner"],
      lacks: ["Alien"],
    },
    { name: "sort", path: "/api/films?sort=-title", status: 200, contains: [/Blade.*Bambi.*Alien/] },
    { name: "count", path: "/api/films?count=exact&limit=1", status: 200, contains: ['"count":3}}'] },
    {
      name: "fields",
      path: "/api/films?fields=title,director.name&sort=title",
      status: 200,
      contains: ['{"title":"Alien","director":{"name":"Ridley Scott"}}'],
    },
    {
      name: "expand",
      path: "/api/films?expand=director,reviews&filter[sku]=a1",
      status: 200,
      contains: ['"director":{"id":', '"country":"GB"', '"stars":1', '"sku":"a1"'],
    },
    {
      name: "expand in detail",
      path: "/api/films?expand[reviews][limit]=1&expand[reviews][sort]=-stars&expand[reviews][filter][stars][lt]=5&expand[reviews][fields]=stars&fields=title&filter[sku]=a1",
      status: 200,
      contains: ['{"title":"Alien","reviews":[{"stars":3}]}'],
    },
    {
      name: "aggregate",
      path: "/api/films/aggregate?group=rating&sum=price&count=*&having[sum.price][gt]=10",
      status: 200,
      contains: ['"21.99"'],
      lacks: ['"G"'],
    },
    {
      name: "a query by POST",
      method: "POST",
      path: "/api/films/query",
      body: { where: { price: { gte: "10" } }, select: { title: true } },
      status: 200,
      contains: ['{"data":[{"title":"Blade Runner"}]'],
    },
    {
      name: "a query by QUERY",
      method: "QUERY",
      path: "/api/films",
      body: { where: { title: "Bambi" }, limit: 1 },
      status: 200,
      contains: ["Bambi"],
      lacks: ["Alien"],
    },
    { name: "HEAD", method: "HEAD", path: "/api/films", status: 200, contains: [/content-length: [1-9]/], lacks: ["Alien"] },
    { name: "a slash in an id", path: "/api/genres/a%2Fb", status: 200, contains: ['"a/b"'] },
    { name: "a quote in an id", path: "/api/genres/quo%22te", status: 200, contains: ['"quo\\"te"'] },
    { name: "a percent in an id", path: "/api/genres/50%25", status: 200, contains: ['"50%"'] },
    { name: "an id that is a route", path: "/api/genres/%71uery", status: 200, contains: ['"query"'] },
    { name: "a composite id", path: "/api/shelves/a%2Cb%25,7", status: 200, contains: ['"label":"left"'] },
    {
      name: "a read action by GET",
      path: "/api/actions/double?of=4",
      status: 200,
      contains: ['{"twice":8}'],
    },
    {
      name: "a read action by POST",
      method: "POST",
      path: "/api/actions/double",
      body: { of: 4 },
      status: 200,
      contains: ['{"twice":8}'],
    },
    { name: "who may not read, signed out", path: "/api/drafts", status: 401, contains: ["www-authenticate: Bearer"] },
  ]);

  test("pages lead on and back, by body and by Link", async () => {
    const first = await run({
      name: "first",
      path: "/api/films?sort=title&limit=2&page%5Bnumber%5D=1",
      status: 200,
      contains: [/link: <\/api\/films\?sort=title&limit=2&after=[^>]+>; rel="next"/],
    });
    const next = /<([^>]+)>; rel="next"/.exec(String(first.headers["link"]))?.[1] as string;
    const second = await run({
      name: "second",
      path: next,
      status: 200,
      contains: ["Blade Runner", 'rel="prev"'],
      lacks: ["Alien", 'rel="next"'],
    });
    const back = await run({
      name: "back",
      path: `/api/films?sort=title&limit=2&before=${second.json().page.prev}`,
      status: 200,
      contains: ["Alien", "Bambi"],
    });
    assert.equal(back.json().data.length, 2);
  });

  test("the way back is the cursor that led there, from its other side", async () => {
    const page = async (side: string) =>
      (await run({ name: side, path: `/api/films?sort=title&limit=1${side}`, status: 200 })).json();
    const first = await page("");
    const second = await page(`&after=${first.page.next}`);
    assert.equal(second.page.prev, `${first.page.next}~`);
    const back = await page(`&before=${second.page.prev}`);
    assert.deepEqual(back.data, first.data);
    assert.equal(back.page.next, first.page.next);
    // Where a page is found from behind, its own first row is the way further back.
    const third = await page(`&after=${second.page.next}`);
    const secondAgain = await page(`&before=${third.page.prev}`);
    assert.deepEqual(secondAgain.data, second.data);
    const firstAgain = await page(`&before=${secondAgain.page.prev}`);
    assert.deepEqual(firstAgain.data, first.data);
    assert.deepEqual(await page(`&after=${firstAgain.page.next}`), {
      ...second,
      page: { ...second.page, prev: secondAgain.page.prev },
    });
  });

  test("a single row has the version as its tag, and answers 304 to who has it", async () => {
    const path = `/api/films/${alien}`;
    const { headers } = await run({
      name: "whole",
      path,
      status: 200,
      contains: ['etag: "1"', "cache-control: private, no-cache", "vary: Accept, Authorization"],
    });
    await run({
      name: "known",
      path,
      headers: { "if-none-match": String(headers["etag"]) },
      status: 304,
      contains: ['etag: "1"'],
      lacks: ["Alien", "\ncontent-type"],
    });
    await run({ name: "known, weakly and among others", path, headers: { "if-none-match": '"7", W/"1"' }, status: 304 });
    await run({ name: "another", path, headers: { "if-none-match": '"2"' }, status: 200 });
    await run({ name: "with a relation", path: `${path}?expand=director`, status: 200, lacks: ["etag"], contains: ["Ridley"] });
    await run({ name: "If-Match of another version", path, headers: { "if-match": '"9"' }, status: 412 });
  });

  test("a single row takes a filter on what is expanded", async () => {
    const path = `/api/films/${alien}`;
    await run({
      name: "expanded by filter",
      path: `${path}?expand[reviews][filter][stars][gte]=5`,
      status: 200,
      contains: ['"stars":5'],
      lacks: ['"stars":3'],
    });
  });
});

describe("refusing", () => {
  scenarios([
    { name: "an unknown model", path: "/api/flims", status: 404, contains: ["route_not_found"] },
    { name: "an unknown row", path: "/api/films/01900000-0000-7000-8000-000000000000", status: 404, contains: ["not_found"] },
    { name: "a trailing slash", path: "/api/films/", status: 404 },
    { name: "a path of dots", path: "/api/../films", status: 404 },
    {
      name: "an unknown field",
      path: "/api/films?filter[titel]=x",
      status: 400,
      contains: ['"pointer":"?filter[titel]"', "unknown_field", 'Did you mean \\"title\\"?'],
    },
    {
      name: "a hidden field is an unknown one",
      path: "/api/films?filter[cost][gte]=1",
      status: 400,
      contains: ['"pointer":"?filter[cost]"', "unknown_field"],
    },
    {
      name: "a hidden field in sort",
      path: "/api/films?sort=-cost",
      status: 400,
      contains: ['"pointer":"?sort"', "unknown_field"],
    },
    {
      name: "a hidden field in fields",
      path: "/api/films?fields=cost",
      status: 400,
      contains: ['"pointer":"?fields"', "unknown_field"],
    },
    { name: "an unknown operator", path: "/api/films?filter[price][above]=1", status: 400, contains: ["?filter[price][above]"] },
    {
      name: "a value of the wrong type",
      path: "/api/films?filter[stock][gte]=many",
      status: 400,
      contains: ["?filter[stock][gte]"],
    },
    {
      name: "an unknown parameter",
      path: "/api/films?limt=5",
      status: 400,
      contains: ['"pointer":"?limt"', 'Did you mean \\"limit\\"?'],
    },
    { name: "a repeated parameter", path: "/api/films?limit=5&limit=6", status: 400, contains: ["repeated"] },
    { name: "limit=-1", path: "/api/films?limit=-1", status: 400, contains: ['"pointer":"?limit"'] },
    { name: "limit=0", path: "/api/films?limit=0", status: 400, contains: ['"pointer":"?limit"'] },
    { name: "a limit over the maximum", path: "/api/films?limit=101", status: 400, contains: ["limit_exceeded"] },
    { name: "an unknown count", path: "/api/films?count=all", status: 400, contains: ['"pointer":"?count"'] },
    { name: "a forged cursor", path: "/api/films?after=abc", status: 400, contains: ["invalid_cursor"] },
    {
      name: "a forged cursor of that length",
      path: `/api/films?after=${"a".repeat(40)}~`,
      status: 400,
      contains: ["invalid_cursor"],
    },
    { name: "an identifier with quotes", path: "/api/films?filter[%22title%22]=x", status: 400, contains: ["unknown_field"] },
    { name: "SQL for a sort", path: "/api/films?sort=title;drop", status: 400 },
    { name: "an unknown relation", path: "/api/films?expand=actors", status: 400, contains: ['"pointer":"?expand"'] },
    {
      name: "an unknown member of a query",
      method: "POST",
      path: "/api/films/query",
      body: { wher: {} },
      status: 400,
      contains: ['"pointer":"/wher"', 'Did you mean \\"where\\"?'],
    },
    {
      name: "an unknown field of a query",
      method: "POST",
      path: "/api/films/query",
      body: { where: { titel: "x" } },
      status: 400,
      contains: ['"pointer":"/where/titel"'],
    },
    {
      name: "a method that is not there",
      method: "PUT",
      path: "/api/films",
      body: {},
      status: 405,
      contains: ["allow: GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS"],
    },
    { name: "GET on a write action", path: "/api/actions/restock", status: 405, contains: ["allow: POST, OPTIONS"] },
    { name: "a format that is not there", path: "/api/films", headers: { accept: "text/csv" }, status: 406 },
    { name: "a format with quality 0", path: "/api/films", headers: { accept: "application/json;q=0, */*" }, status: 406 },
    { name: "a format among others", path: "/api/films", headers: { accept: "text/html, application/*;q=0.5" }, status: 200 },
    { name: "a body on GET", method: "GET", path: "/api/films", body: {}, status: 400, contains: ["unexpected_body"] },
    {
      name: "a body on DELETE",
      actor: staff,
      method: "DELETE",
      path: "/api/films/x",
      body: {},
      status: 400,
      contains: ["unexpected_body"],
    },
    {
      name: "what fails inside",
      method: "POST",
      path: "/api/actions/explode",
      body: {},
      status: 500,
      contains: ['"code":"internal"'],
      lacks: ["secret", "passwd"],
    },
  ]);

  test("a cursor of another query is refused", async () => {
    const reply = await ask(started.target, { path: "/api/films?limit=1" });
    await run({
      name: "another sort",
      path: `/api/films?limit=1&sort=title&after=${reply.json().page.next}`,
      status: 400,
      contains: ["invalid_cursor"],
    });
    await run({
      name: "another actor",
      actor: ["buyer"],
      path: `/api/films?limit=1&after=${reply.json().page.next}`,
      status: 400,
      contains: ["invalid_cursor"],
    });
  });

  test("a list that is asked with other values answers those, points at them, and takes no cursor of the others'", async () => {
    const list = (filter: string, sort = "title") => `/api/films?${filter}&sort=${sort}&limit=1`;
    const titles = async (filter: string) => {
      const reply = await ask(started.target, { path: list(filter) });
      return reply.json().data.map((film) => film["title"]);
    };
    // From the second time on, what is alike is kept.
    for (const [price, found] of [
      ["5", "Bambi"],
      ["9.99", "Alien"],
      ["12.00", "Blade Runner"],
      ["5.00", "Bambi"],
    ] as const)
      assert.deepEqual(await titles(`filter[price]=${price}`), [found]);
    for (let times = 0; times < 3; times++)
      await run({
        name: "a value that does not fit",
        path: list("filter[price]=cheap"),
        status: 400,
        contains: ["?filter[price]"],
      });
    const cursors: string[] = [];
    for (const price of ["1", "2", "1"]) {
      const reply = await ask(started.target, { path: list(`filter[price][gt]=${price}`) });
      cursors.push(reply.json().page.next);
    }
    assert.equal(cursors[0], cursors[2]);
    assert.notEqual(cursors[0], cursors[1]);
    const next = (price: string) => `${list(`filter[price][gt]=${price}`)}&after=${cursors[0]}`;
    await run({
      name: "its own",
      path: next("1"),
      status: 200,
      contains: ["Bambi", `filter[price][gt]=1&sort=title&limit=1&after=`],
    });
    await run({ name: "another value's", path: next("2"), status: 400, contains: ["invalid_cursor"] });
  });

  test("OPTIONS says what is allowed", async () => {
    await run({
      name: "collection",
      method: "OPTIONS",
      path: "/api/films",
      status: 204,
      contains: ["allow: GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS"],
    });
    await run({
      name: "item",
      method: "OPTIONS",
      path: "/api/films/x",
      status: 204,
      contains: ["allow: GET, HEAD, PATCH, PUT, DELETE, OPTIONS"],
    });
  });

  test("a failure inside is logged with its stack, under the id that the caller was told", async () => {
    const reply = await ask(started.target, { method: "POST", path: "/api/actions/explode", body: {} });
    await new Promise((resolve) => setTimeout(resolve, 150));
    const line = started.lines.find((text) => text.includes("stacks") && text.includes(String(reply.json()["requestId"])));
    assert.match(line ?? "", /select secret.*\.ts:\d+/);
  });
});
