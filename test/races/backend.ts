/** The film shop with a planted fault: a checkout that reads the stock, and then writes what it thinks is left. */
import { refuse, uuid } from "holdfast";
import { store } from "../../examples/store/backend.ts";

export const faultyStore = store.action("checkoutUnguarded", {
  input: { film: uuid() },
  access: ({ me }) => me.has("customer"),
  run: async ({ input, me, system }) => {
    const film = await system.films.get(input.film);
    if (film.stock < 1) throw refuse("sold_out", "It is sold out.", { status: 409 });
    await system.films.update(input.film, { stock: film.stock - 1 });
    return system.orders.create({ customer: me.id ?? "", total: film.price });
  },
});
