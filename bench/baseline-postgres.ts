/** The best hand-written server on PostgreSQL that does the same job: node:http, pg, named statements, JSON made by the database; no checks. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "pg";

const [, , database] = process.argv;
const pool = new Pool({ connectionString: database ?? "", max: 8 });

const film = `json_build_object('id', f.id, 'title', title, 'rating', rating, 'price', price::text, 'stock', stock, 'team', team,
  'director', director_id, 'createdAt', created_at, 'updatedAt', updated_at, 'version', f.version)`;
const listed = `json_build_object('id', f.id, 'title', title, 'price', price::text, 'director', json_build_object('name', p.name, 'country', p.country))`;

const getFilm = { name: "get", text: `select ${film}::text from films f where f.id = $1` };
// The limit as a literal: see the dialect. What we learn of PostgreSQL, the baseline is given too.
const listFilms = (limit: number) => ({
  name: `list${limit}`,
  text: `select ${listed}::text, price::text, f.id from films f left join people p on p.id = f.director_id
    where team = $1 and rating = $2 and price < $3 order by f.price desc, f.id desc limit ${limit + 1}`,
});
const createNote = {
  name: "create",
  text: `insert into notes (id, subject, body, amount, owner, created_at, updated_at, version) values ($1, $2, $3, $4, $5, $6, $6, 1)
    returning json_build_object('id', id, 'subject', subject, 'body', body, 'amount', amount::text, 'owner', owner,
    'createdAt', created_at, 'updatedAt', updated_at, 'version', version)::text`,
};

type Rows = readonly (readonly string[])[];

async function ask(query: { readonly name: string; readonly text: string }, values: readonly unknown[]): Promise<Rows> {
  return (await pool.query({ ...query, values: [...values], rowMode: "array" })).rows as Rows;
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, ["Content-Type", "application/json", "Content-Length", String(Buffer.byteLength(body))]).end(body);
}

async function list(search: string): Promise<string> {
  const query = new URLSearchParams(search);
  const limit = Number(query.get("limit"));
  const rows = await ask(listFilms(limit), ["red", query.get("filter[rating]"), query.get("filter[price][lt]")]);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const next = last ? `"${Buffer.from(JSON.stringify(last.slice(1))).toString("base64url")}"` : "null";
  return `{"data":[${rows
    .slice(0, limit)
    .map(([row]) => row)
    .join(",")}],"page":{"next":${next}}}`;
}

async function create(request: IncomingMessage): Promise<string> {
  let body = "";
  request.setEncoding("utf8");
  for await (const chunk of request) body += String(chunk);
  const { subject, body: text, amount } = JSON.parse(body) as { readonly subject: string; body: string; amount: string };
  const [row] = await ask(createNote, [randomUUID(), subject, text, amount, "bench", new Date().toISOString()]);
  return row?.[0] ?? "";
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? "/";
  if (request.method === "POST") return send(response, 201, await create(request));
  const mark = url.indexOf("?");
  if (mark > 0) return send(response, 200, await list(url.slice(mark + 1)));
  const [row] = await ask(getFilm, [url.slice(url.lastIndexOf("/") + 1)]);
  send(response, row ? 200 : 404, row?.[0] ?? "{}");
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port, token: "" }));
process.on("disconnect", () => process.exit());
