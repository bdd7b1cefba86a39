/** The cases: what is asked of which server, and the bar that the ratio must keep. */
import type { Server } from "./processes.ts";
import { idOf, ratings } from "./seed.ts";

/** Two streams of requests that are compared. */
export interface LoadCase {
  readonly case: string;
  readonly title: string;
  readonly connections: number;
  /** `share`: ours / baseline in requests a second, at least the bar. `times`: time of ours / time of the baseline, at most the bar. */
  readonly ratio: "share" | "times";
  readonly bar: number;
  readonly ours: (servers: Servers) => Stream;
  readonly baseline: (servers: Servers) => Stream;
  /** The call whose statements are counted; null where nobody can be asked. */
  readonly call: object | null;
}

export interface Servers {
  readonly ours: Server;
  readonly baseline: Server;
  readonly rows: number;
  /** The cursor that leads to the last full page. */
  readonly deepCursor: string;
}

export interface Stream {
  readonly port: number;
  readonly requests: readonly string[];
}

const connections = 32;
const variety = 1_000;
const listVariety = 20_000;

interface Parts {
  readonly method?: string;
  readonly body?: string;
}

/** A whole request as it goes over the wire. */
export function buildRequest({ port, token }: Server, path: string, { method = "GET", body }: Parts = {}): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: localhost:${port}`, "Accept: application/json"];
  if (token !== "") lines.push(`Authorization: Bearer ${token}`);
  if (body !== undefined) lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}

export function streamTo(server: Server, paths: readonly string[]): Stream {
  return { port: server.port, requests: paths.map((path) => buildRequest(server, path)) };
}

// Films of the team that the token is for, spread over the table.
export function filmPaths({ rows }: Servers): string[] {
  return Array.from({ length: variety }, (_, index) => {
    const number = (index * 7_919) % rows;
    return `/api/films/${idOf(number - (number % 8) + (index % 4))}`;
  });
}

// No two are alike, so that nothing is answered from what was parsed before: the step has no divisor in common with the span.
export const listPaths = Array.from({ length: listVariety }, (_, index) => {
  const below = ((10_000 + ((index * 7_919) % 90_000)) / 100).toFixed(2);
  const filter = `filter[rating]=${ratings[index % ratings.length]}&filter[price][lt]=${below}`;
  return `/api/films?${filter}&sort=-price&limit=20&fields=id,title,price,director.name,director.country`;
});
const ruledPaths = (model: string) => ratings.map((rating) => `/api/${model}?filter[rating]=${rating}&sort=-price&limit=20`);

export function notesTo(server: Server): Stream {
  const requests = Array.from({ length: variety }, (_, index) => {
    const note = {
      subject: `Note ${index}`,
      body: "What there is to say, in a sentence or two. ".repeat(3),
      amount: `${index}.50`,
    };
    return buildRequest(server, "/api/notes", { method: "POST", body: JSON.stringify(note) });
  });
  return { port: server.port, requests };
}

const pagePath = "/api/openFilms?sort=price&limit=10";

type Named = Pick<LoadCase, "case" | "title" | "bar">;

/** One row by its key. */
export function getCase(named: Named): LoadCase {
  return {
    ...named,
    connections,
    ratio: "share",
    ours: (servers) => streamTo(servers.ours, filmPaths(servers)),
    baseline: (servers) => streamTo(servers.baseline, filmPaths(servers)),
    call: { op: "get", model: "films", id: idOf(0) },
  };
}

/** Rows that are made, each for sure. */
export function createCase(named: Named, call: LoadCase["call"] = null): LoadCase {
  return {
    ...named,
    connections,
    ratio: "share",
    ours: ({ ours }) => notesTo(ours),
    baseline: ({ baseline }) => notesTo(baseline),
    call,
  };
}

export const loadCases: readonly LoadCase[] = [
  getCase({ case: "get", title: "get one row by id", bar: 0.7 }),
  {
    case: "list",
    title: "list 20 rows: filter, sort, a relation expanded",
    connections,
    ratio: "share",
    bar: 0.85,
    ours: ({ ours }) => streamTo(ours, listPaths),
    baseline: ({ baseline }) => streamTo(baseline, listPaths),
    call: {
      op: "list",
      model: "films",
      query: {
        where: { rating: "PG", price: { lt: "500" } },
        orderBy: "-price",
        limit: 20,
        select: { id: true, title: true, price: true, director: { name: true } },
      },
    },
  },
  createCase(
    { case: "create", title: "create durably; the baseline commits each request", bar: 3 },
    { op: "create", model: "notes", data: { subject: "s", body: "b", amount: "1.00" } },
  ),
  {
    case: "rule",
    title: "list 20 rows under a row rule; the baseline is ours without the rule",
    connections,
    ratio: "share",
    bar: 0.9,
    ours: ({ ours }) => streamTo(ours, ruledPaths("films")),
    baseline: ({ ours }) => streamTo(ours, ruledPaths("openFilms")),
    call: { op: "list", model: "films", query: { where: { rating: "PG" }, orderBy: "-price", limit: 20 } },
  },
  {
    case: "deep-page",
    title: "the last page; the baseline is ours at page 1",
    connections,
    ratio: "times",
    bar: 1.2,
    ours: ({ ours, deepCursor }) => streamTo(ours, [`${pagePath}&after=${encodeURIComponent(deepCursor)}`]),
    baseline: ({ ours }) => streamTo(ours, [pagePath]),
    call: { op: "list", model: "openFilms", query: { orderBy: "price", limit: 10 } },
  },
];

/** Walks to the last page but one of ten rows, in long steps: a cursor does not depend on the page's size. */
export async function findDeepCursor(server: Server, rows: number): Promise<string> {
  const pages = Math.floor(rows / 100) - 1;
  // The cursor is good for the actor who walked.
  const headers = { authorization: `Bearer ${server.token}` };
  let after = "";
  for (let page = 0; page < pages; page++) {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/openFilms?sort=price&limit=100${after}`, { headers });
    const answer = (await response.json()) as { readonly page: { readonly next: string } };
    after = `&after=${encodeURIComponent(answer.page.next)}`;
  }
  return decodeURIComponent(after.slice("&after=".length));
}
