/** Sends requests to a test app through its real protocols, with a token for whoever asks. */

/** A request in short; a path alone is a GET. */
export interface TestRequest {
  /** @default "POST" with a body, otherwise "GET" */
  readonly method?: string;
  /** With its query, as in `/api/films?limit=2`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text or bytes are sent as they are. */
  readonly body?: unknown;
}

/** An answer, read to its end. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, parsed. */
  json<T = unknown>(): T;
}

const origin = "http://localhost";

/** The Request that it stands for. `token` is that of the caller, or null. */
export function toRequest({ path, headers, ...rest }: TestRequest, token: string | null): Request {
  const { body, method = body === undefined ? "GET" : "POST" } = rest;
  const made = new Headers(headers);
  if (token !== null) made.set("authorization", `Bearer ${token}`);
  if (body === undefined) return new Request(new URL(path, origin), { method, headers: made });
  if (!made.has("content-type")) made.set("content-type", "application/json");
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  return new Request(new URL(path, origin), { method, headers: made, body: isRaw ? body : JSON.stringify(body) });
}

export async function toReply(response: Response): Promise<Reply> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T };
}
