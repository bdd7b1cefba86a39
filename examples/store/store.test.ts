/** The film shop: who may see and do what, exact totals, the last copy, and what became of every row of the real data. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createActor, createApp } from "holdfast";
import { store } from "./backend.ts";
import { loadFilms, readMovies, summarize } from "./load.ts";
import { readDate, readMovie, type Remark } from "./movies.ts";
import { createProgress } from "./progress.ts";

const ann = createActor("ann", ["customer"]);
const bob = createActor("bob", ["customer"]);
const staff = createActor("sue", ["staff"]);

function open() {
  return createApp(store, { database: "sqlite::memory:", log: false, port: 0 });
}

const app = await open();
before(async () => {
  for (const [id, name] of [
    ["ann", "Ann"],
    ["bob", "Bob"],
  ] as const)
    await app.system.customers.create({ id, name });
});
after(() => app.stop());

const numbers = { next: 10_000 };
async function createFilm(price: string, stock: number): Promise<string> {
  const number = numbers.next++;
  const { id } = await app.as(staff).films.create({ number, title: `Film ${number}`, price, stock, cost: "1.00" });
  return id;
}

interface Order {
  readonly id: string;
  readonly total: string;
  readonly lines: readonly { readonly amount: string; readonly price: string; readonly film: { readonly title: string } }[];
}

async function checkout(
  actor: typeof ann,
  lines: readonly { readonly film: string; readonly quantity: number }[],
): Promise<Order> {
  const { result } = await app.engine.execute({ op: "action", action: "checkout", input: { lines } }, { actor, requestId: null });
  assert.equal(result.kind, "action");
  return JSON.parse(result.kind === "action" ? result.json : "") as Order;
}

const refused = (code: string, pointer: string) => (error: { code: string; errors: { pointer: string }[] }) =>
  error.code === code && error.errors[0]?.pointer === pointer;

describe("rules", () => {
  test("customers never see what a film costs us, by any road", async () => {
    const id = await createFilm("9.90", 1);
    const film: object = await app.as(ann).films.get(id);
    for (const secret of ["cost", "budget", "margin"]) {
      assert.ok(!(secret in film), secret);
      await assert.rejects(app.as(ann).films.list({ orderBy: secret as "cost" }), { code: "invalid_query" });
      await assert.rejects(app.as(ann).films.list({ where: { [secret]: "1.00" } }), { code: "invalid_query" });
      await assert.rejects(app.as(ann).films.aggregate({ max: [secret] }), { code: "invalid_query" });
    }
    assert.equal((await app.as(staff).films.get(id)).margin, "8.90");
  });

  test("customers see their own orders, and nobody else's", async () => {
    const order = await checkout(ann, [{ film: await createFilm("5.00", 1), quantity: 1 }]);
    assert.equal((await app.as(ann).orders.get(order.id)).total, "5.00");
    await assert.rejects(app.as(bob).orders.get(order.id), { code: "not_found" });
    assert.equal((await app.as(bob).orders.list()).data.length, 0);
    assert.equal((await app.as(bob).lines.list()).data.length, 0);
    assert.ok((await app.as(staff).orders.list()).data.some(({ id }) => id === order.id));
  });

  test("nobody writes an order by hand, and only staff ship one", async () => {
    const { id } = await checkout(ann, [{ film: await createFilm("5.00", 1), quantity: 1 }]);
    await assert.rejects(app.as(staff).orders.create({ customer: "ann" }), { code: "forbidden" });
    await assert.rejects(app.as(ann).orders.update(id, { status: "shipped" }), { code: "forbidden" });
    assert.equal((await app.as(staff).orders.update(id, { status: "shipped" })).status, "shipped");
  });

  test("everybody reads reviews; a customer writes one a film, as nobody else", async () => {
    const film = await createFilm("5.00", 1);
    const review = await app.as(ann).reviews.create({ film, stars: 4 });
    assert.equal(review.customer, "ann");
    await assert.rejects(app.as(ann).reviews.create({ film, stars: 5 }), { code: "conflict" });
    await assert.rejects(app.as(ann).reviews.create({ film, stars: 5, customer: "bob" }));
    await assert.rejects(app.as(bob).reviews.update(review.id, { stars: 1 }), { code: "forbidden" });
    await assert.rejects(app.as(bob).reviews.create({ film, stars: 6 }), { code: "invalid_input" });
  });
});

describe("checkout", () => {
  test("totals are exact", async () => {
    const lines = [
      { film: await createFilm("0.10", 9), quantity: 3 },
      { film: await createFilm("19.99", 9), quantity: 7 },
    ];
    const order = await checkout(ann, lines);
    assert.equal(order.total, "140.23");
    assert.deepEqual(
      order.lines.map(({ amount }) => amount),
      ["0.30", "139.93"],
    );
  });

  test("the last copy is sold once, and the refusal says of what there is too little", async () => {
    const film = await createFilm("5.00", 1);
    const other = await createFilm("5.00", 5);
    await checkout(ann, [{ film, quantity: 1 }]);
    await assert.rejects(
      checkout(bob, [
        { film: other, quantity: 1 },
        { film, quantity: 1 },
      ]),
      refused("sold_out", "/data/lines/1/quantity"),
    );
    assert.equal((await app.system.films.get(other)).stock, 5, "nothing of a refused order is taken");
  });

  test("over HTTP, a refusal points into the request", async () => {
    const film = await createFilm("5.00", 0);
    const response = await app.fetch(
      new Request("http://localhost/api/actions/checkout", {
        method: "POST",
        headers: {
          authorization: `Bearer ${await app.mint({ sub: "ann", roles: ["customer"] })}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ lines: [{ film, quantity: 1 }] }),
      }),
    );
    const problem = (await response.json()) as { code: string; errors: { pointer: string }[] };
    assert.deepEqual([response.status, problem.code, problem.errors[0]?.pointer], [409, "sold_out", "/lines/0/quantity"]);
  });

  test("who is no customer, or asks for what is not there, is told so", async () => {
    const film = await createFilm("5.00", 1);
    await assert.rejects(checkout(staff, [{ film, quantity: 1 }]), { code: "forbidden" });
    await assert.rejects(checkout(createActor("zoe", ["customer"]), [{ film, quantity: 1 }]), { code: "not_registered" });
    const nowhere = "00000000-0000-7000-8000-000000000000";
    await assert.rejects(checkout(ann, [{ film: nowhere, quantity: 1 }]), refused("no_such_film", "/data/lines/0/film"));
    await assert.rejects(checkout(ann, []), { code: "invalid_input" });
    await assert.rejects(checkout(ann, [{ film, quantity: -1 }]), { code: "invalid_input" });
  });

  test("what sells best is known to all, by title", async () => {
    const film = await createFilm("5.00", 9);
    await checkout(ann, [{ film, quantity: 9 }]);
    const { title } = await app.system.films.get(film);
    const { result } = await app.engine.execute(
      { op: "action", action: "bestsellers", input: {} },
      { actor: bob, requestId: null },
    );
    assert.match(
      result.kind === "action" ? result.json : "",
      new RegExp(`^\\[\\{"group":\\{"film.title":"${title}"\\},"sum":\\{"quantity":9\\}`),
    );
  });
});

describe("loading", () => {
  const rows = readMovies();
  const counts = (remarks: readonly Remark[]) =>
    Object.fromEntries([...Map.groupBy(remarks, ({ reason }) => reason)].map(([reason, all]) => [reason, all.length]));

  test("every row of the file is a film or a refusal with its reason", async () => {
    const fresh = await open();
    const report = await loadFilms(fresh.system, rows);
    assert.deepEqual(
      { rows: report.rows, loaded: report.loaded, present: report.present },
      { rows: 3201, loaded: 3200, present: 0 },
    );
    assert.deepEqual(counts(report.remarks), {
      "no title": 1,
      "release date has the wrong century": 22,
      "release date is a placeholder": 8,
      "title is a number": 9,
      "title was garbled": 19,
      "rating is none that exists": 2,
    });
    assert.deepEqual(
      report.remarks.filter(({ kind }) => kind === "refused").map(({ row }) => row),
      [3054],
    );
    assert.ok(summarize(report).includes("  row 3054: no title"));
    const [{ count } = { count: 0 }] = await fresh.system.films.aggregate({ count: ["*"] });
    assert.equal(count, 3200);
    assert.equal((await fresh.system.people.aggregate({}))[0]?.count, 550);
    await fresh.stop();
  });

  test("stopped half-way, the next run loads the rest and nothing twice", async () => {
    const fresh = await open();
    const stopped = loadFilms(fresh.system, rows, (done) => {
      if (done >= 1_000) throw new Error("pulled the plug");
    });
    await assert.rejects(stopped, /pulled the plug/);
    const [{ count: half } = { count: 0 }] = await fresh.system.films.aggregate({ count: ["*"] });
    const report = await loadFilms(fresh.system, rows);
    assert.equal(report.present, half);
    assert.equal(report.loaded + report.present, 3200);
    assert.equal((await fresh.system.films.aggregate({}))[0]?.count, 3200);
    assert.equal((await loadFilms(fresh.system, rows)).loaded, 0);
    await fresh.stop();
  });

  test("dates in all the spellings of the file's history", () => {
    const said: string[] = [];
    const read = (given: unknown) => readDate(given, (reason) => said.push(reason));
    assert.deepEqual(
      ["Jun 12 1998", "12-Jun-98", "1998-06-12", "1998", 1998, "Aug 25 2039", "Dec 31 1969", "Feb 30 1998", "soon", null, 7].map(
        read,
      ),
      ["1998-06-12", "1998-06-12", "1998-06-12", "1998-01-01", "1998-01-01", "1939-08-25", null, null, null, null, null],
    );
    assert.deepEqual(said, [
      "release date has the wrong century",
      "release date is a placeholder",
      ...Array<string>(3).fill("release date is unreadable"),
    ]);
  });

  test("a row without a title is refused with what stood there", () => {
    const remarks: Remark[] = [];
    assert.equal(
      readMovie({ Title: " " }, 7, (remark) => remarks.push(remark)),
      null,
    );
    assert.deepEqual(remarks, [{ row: 7, kind: "refused", reason: "no title", detail: '" "' }]);
  });

  test("a bar where somebody watches, and plain lines where nobody does", () => {
    const shown = (isTTY: boolean) => {
      const texts: string[] = [];
      const tell = createProgress("Loading", { isTTY, write: (text) => texts.push(text) });
      for (const done of [200, 1_000, 1_200, 3_201]) tell(done, 3_201);
      return texts;
    };
    assert.deepEqual(shown(false), ["Loading 1000/3201\n", "Loading 3201/3201\n"]);
    assert.equal(shown(true).length, 4);
    assert.match(shown(true).at(-1) ?? "", /^\rLoading █{30} 3201\/3201\n$/);
  });
});
