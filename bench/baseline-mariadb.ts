/** The best hand-written server on MariaDB that does the same job: node:http, mysql2 with prepared statements, JSON made by the database; no checks. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createPool } from "mysql2/promise";

const [, , database] = process.argv;
const pool = createPool({
  uri: database ?? "",
  connectionLimit: 8,
  charset: "UTF8MB4_BIN",
  rowsAsArray: true,
  jsonStrings: true,
});

const getFilm = `select json_object('id', id, 'title', title, 'rating', rating, 'price', cast(price as char) collate utf8mb4_nopad_bin, 'stock', stock, 'team', team,
  'director', director_id, 'createdAt', created_at, 'updatedAt', updated_at, 'version', version) from films where id = ?`;
const createNote = `insert into notes (id, subject, body, amount, owner, created_at, updated_at, version) values (?, ?, ?, ?, ?, ?, ?, 1)
  returning json_object('id', id, 'subject', subject, 'body', body, 'amount', cast(amount as char) collate utf8mb4_nopad_bin, 'owner', owner, 'createdAt', created_at,
  'updatedAt', updated_at, 'version', version)`;

async function ask(text: string, values: readonly string[]): Promise<string | undefined> {
  const [rows] = await pool.execute(text, [...values]);
  return (rows as unknown as readonly (readonly string[])[])[0]?.[0];
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, ["Content-Type", "application/json", "Content-Length", String(Buffer.byteLength(body))]).end(body);
}

async function create(request: IncomingMessage): Promise<string> {
  let body = "";
  request.setEncoding("utf8");
  for await (const chunk of request) body += String(chunk);
  const { subject, body: text, amount } = JSON.parse(body) as { readonly subject: string; body: string; amount: string };
  const now = new Date().toISOString().slice(0, -1);
  return (await ask(createNote, [randomUUID(), subject, text, amount, "bench", now, now])) ?? "";
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? "/";
  if (request.method === "POST") return send(response, 201, await create(request));
  const row = await ask(getFilm, [url.slice(url.lastIndexOf("/") + 1)]);
  send(response, row === undefined ? 404 : 200, row ?? "{}");
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port, token: "" }));
process.on("disconnect", () => process.exit());
