/** Many at once for what only one may have: buyers of one copy, writers of one version, tries under one key; on two processes. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openShop, type Reply } from "./races/shop.ts";

const buyers = 50;
const writers = 100;

const shop = await openShop(buyers);
after(() => shop.close());

const numbers = { next: 1 };
function createFilm(stock: number) {
  const number = numbers.next++;
  return shop.app.system.films.create({ number, title: `Film ${number}`, price: "9.90", cost: "5.00", stock });
}

async function countOrders(): Promise<number> {
  return (await shop.app.system.orders.aggregate({}))[0]?.count ?? 0;
}

function statuses(replies: readonly Reply[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** What 50 buyers of one copy leave behind; `body` says how a film is asked for. */
async function sellLastCopy(action: string, body: (film: string) => unknown) {
  const film = await createFilm(1);
  const before = await countOrders();
  const replies = await Promise.all(
    shop.tokens.map((token, index) =>
      shop.ask(index, { method: "POST", path: `/api/actions/${action}`, token, body: body(film.id) }),
    ),
  );
  const { stock } = await shop.app.system.films.get(film.id);
  return { replies, stock, orders: (await countOrders()) - before };
}

interface Sold {
  readonly replies: readonly Reply[];
  readonly stock: number;
  readonly orders: number;
}

function assertSoldOnce({ replies, stock, orders }: Sold): void {
  assert.deepEqual(statuses(replies), { 200: 1, 409: buyers - 1 });
  assert.deepEqual({ stock, orders }, { stock: 0, orders: 1 });
}

function assertOneWinner(replies: readonly Reply[]): void {
  assert.deepEqual(statuses(replies), { 200: 1, 412: writers - 1 });
}

describe("50 buyers of one copy, on two processes", () => {
  test("one gets it, and the others are told that it is sold out", async () => {
    const sold = await sellLastCopy("checkout", (film) => ({ lines: [{ film, quantity: 1 }] }));
    assertSoldOnce(sold);
    for (const { status, body } of sold.replies) if (status === 409) assert.match(body, /"code":"sold_out"/);
  });

  test("a checkout that reads and then writes is caught", async () => {
    const sold = await sellLastCopy("checkoutUnguarded", (film) => ({ film }));
    assert.throws(() => assertSoldOnce(sold), assert.AssertionError);
    assert.ok(sold.orders > 1, "it sold the copy more than once");
  });
});

describe("100 writers of one version, on two processes", () => {
  async function patch(headers: Readonly<Record<string, string>>): Promise<Reply[]> {
    const film = await createFilm(0);
    const path = `/api/films/${film.id}`;
    return Promise.all(
      Array.from({ length: writers }, (_, index) =>
        shop.ask(index, { method: "PATCH", path, token: shop.staff, body: { title: `By ${index}` }, headers }),
      ),
    );
  }

  test("one wins, and 99 are told that the row is no longer at that version", async () =>
    assertOneWinner(await patch({ "if-match": '"1"' })));

  test("writers who do not say which version they change are caught", async () => {
    const replies = await patch({});
    assert.throws(() => assertOneWinner(replies), assert.AssertionError);
  });
});

describe("one idempotency key, tried on two processes at once", () => {
  const keys = 10;
  const tries = 6;

  /** Tries until there is an answer: 409 says that another try is still running. */
  async function tryUntilAnswered(process: number, asking: Parameters<typeof shop.ask>[1]): Promise<Reply> {
    for (let round = 0; round < 200; round++) {
      const reply = await shop.ask(process + round, asking);
      if (!(reply.status === 409 && reply.body.includes("idempotency_in_progress"))) return reply;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error("no answer but that another try is running");
  }

  async function buyRepeatedly(headersOf: (key: number) => Readonly<Record<string, string>>) {
    const film = await createFilm(1_000);
    const before = await countOrders();
    const body = { lines: [{ film: film.id, quantity: 1 }] };
    const replies = await Promise.all(
      Array.from({ length: keys * tries }, async (_, index) => {
        const key = index % keys;
        const token = shop.tokens[key] as string;
        const asking = { method: "POST" as const, path: "/api/actions/checkout", token, body, headers: headersOf(key) };
        return { key, reply: await tryUntilAnswered(index, asking) };
      }),
    );
    const { stock } = await shop.app.system.films.get(film.id);
    return { replies, sold: 1_000 - stock, orders: (await countOrders()) - before };
  }

  type Bought = Awaited<ReturnType<typeof buyRepeatedly>>;

  function assertNoDoubles({ replies, sold, orders }: Bought): void {
    assert.deepEqual({ sold, orders }, { sold: keys, orders: keys });
    for (const [, same] of Map.groupBy(replies, ({ key }) => key)) {
      assert.deepEqual([...new Set(same.map(({ reply }) => reply.status))], [200]);
      assert.equal(new Set(same.map(({ reply }) => reply.body)).size, 1, "every try gets the same answer, byte for byte");
      assert.equal(same.filter(({ reply }) => !reply.replayed).length, 1, "all answers but the first are replays, and say so");
    }
  }

  test("each key buys once, and every try gets the one answer", async () =>
    assertNoDoubles(await buyRepeatedly((key) => ({ "idempotency-key": `"key-${key}"` }))));

  test("tries without a key are caught", async () => {
    const bought = await buyRepeatedly(() => ({}));
    assert.throws(() => assertNoDoubles(bought), assert.AssertionError);
    assert.equal(bought.orders, keys * tries);
  });
});
