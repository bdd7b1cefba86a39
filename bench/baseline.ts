/** The best hand-written server that does the same job: node:http, node:sqlite, prepared statements, JSON made by SQLite; no checks. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";

const [, , database] = process.argv;
const db = new DatabaseSync(database ?? "");
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384");

const price = `printf('%d.%02d', price / 100, price % 100)`;
const columns = `'id', f.id, 'title', title, 'rating', rating, 'price', ${price}, 'stock', stock, 'team', team,
  'director', director_id, 'createdAt', created_at, 'updatedAt', updated_at, 'version', f.version`;
const director = `(select json_object('name', p.name, 'country', p.country) from people p where p.id = f.director_id)`;
const expanded = `'id', f.id, 'title', title, 'price', ${price}, 'director', json(${director})`;

const getFilm = db.prepare(`select json_object(${columns}) as j from films f where f.id = ?`);
// `+ 0`: see the dialect. What we learn of SQLite, the baseline is given too.
const listFilms = db.prepare(
  `select json_object(${expanded}) as j, price, f.id as id from films f where team = ? and rating = ? and price < ? order by price desc, f.id desc limit ? + 0`,
);
const createNote = db.prepare(
  `insert into notes (id, subject, body, amount, owner, created_at, updated_at, version) values (?, ?, ?, ?, ?, ?, ?, 1)
   returning json_object('id', id, 'subject', subject, 'body', body, 'amount', printf('%d.%02d', amount / 100, amount % 100),
   'owner', owner, 'createdAt', created_at, 'updatedAt', updated_at, 'version', version) as j`,
);
listFilms.setReturnArrays(true);

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, ["Content-Type", "application/json", "Content-Length", String(Buffer.byteLength(body))]).end(body);
}

function list(search: string): string {
  const query = new URLSearchParams(search);
  const limit = Number(query.get("limit"));
  const below = Math.round(Number(query.get("filter[price][lt]")) * 100);
  const rows = listFilms.all("red", query.get("filter[rating]") ?? "", below, limit + 1) as unknown as [string, number, string][];
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const next = last ? `"${Buffer.from(JSON.stringify(last.slice(1))).toString("base64url")}"` : "null";
  return `{"data":[${rows
    .slice(0, limit)
    .map(([row]) => row)
    .join(",")}],"page":{"next":${next}}}`;
}

interface Note {
  readonly subject: string;
  readonly body: string;
  readonly amount: string;
}

function create(body: string): string {
  const { subject, body: text, amount } = JSON.parse(body) as Note;
  const now = new Date().toISOString();
  const row = createNote.get(randomUUID(), subject, text, Math.round(Number(amount) * 100), "bench", now, now);
  return (row as { j: string }).j;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "/";
  if (request.method === "POST") {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => send(response, 201, create(body)));
    return;
  }
  const mark = url.indexOf("?");
  if (mark > 0) return send(response, 200, list(url.slice(mark + 1)));
  const row = getFilm.get(url.slice(url.lastIndexOf("/") + 1)) as { j: string } | undefined;
  send(response, row ? 200 : 404, row?.j ?? "{}");
}

const server = createServer(answer);
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port, token: "" }));
process.on("message", () => process.send?.({ bytes: process.memoryUsage().rss }));
process.on("disconnect", () => process.exit());
