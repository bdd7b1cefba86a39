/** What bad input gets: the right 4xx problem document with a pointer, while the process stays up. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ask, check, type Scenario } from "./rest/scenario.ts";
import { exchange, lines } from "./rest/socket.ts";
import { startStore } from "./rest/start.ts";

const started = await startStore({ http: { headersTimeoutMs: 300, requestTimeoutMs: 600 } });
after(() => started.app.stop());

type Refused = readonly [name: string, body: string | Uint8Array, contains: readonly string[], status?: number];

/** A body that is to be refused, sent to the create of films. */
function refused(...[name, body, contains, status = 400]: Refused): Scenario {
  return { name, actor: ["staff"], method: "POST", path: "/api/films", body, status, contains };
}

const film = '"title":"A","sku":"a","rating":"R","price":"1"';

describe("bodies", () => {
  const list: readonly Scenario[] = [
    refused("broken JSON", '{"title": ', ["invalid_json", '"code":"syntax"']),
    refused("two values", "{} {}", ["invalid_json", "Position 3"]),
    refused("a trailing comma", '{"a":1,}', ["invalid_json"]),
    refused("not JSON", "title=Alien", ["invalid_json"]),
    refused("an empty body", "", ["empty_body"]),
    refused("wrong types", `{${film.replace('"A"', "[1]")}}`, ['"pointer":"/title"'], 422),
    refused("unknown fields", `{${film},"nope":1}`, ['"pointer":"/nope"', "unknown_field"], 422),
    refused("__proto__", `{${film},"__proto__":{"x":1}}`, ["forbidden_key", '"pointer":"/__proto__"']),
    refused("__proto__ escaped and deep", `{${film},"notes":{"\\u005f_proto__":1}}`, [
      "forbidden_key",
      '"pointer":"/notes/__proto__"',
    ]),
    refused("duplicate keys", `{${film},"notes":[{"a":1,"a":2}]}`, ["duplicate_key", '"pointer":"/notes/0/a"']),
    refused("duplicate keys, one escaped", `{${film},"titl\\u0065":"B"}`, ["duplicate_key", '"pointer":"/title"']),
    refused("a lone surrogate", `{${film},"tags":["\\ud800"]}`, ["lone_surrogate", '"pointer":"/tags/0"']),
    refused("1e400", `{${film},"notes":1e400}`, ["number_range", '"pointer":"/notes"']),
    refused("2^53+1", `{${film},"notes":9007199254740993}`, ["number_range", '"pointer":"/notes"']),
    refused("a number of too many digits", `{${film},"notes":0.12345678901234567890}`, ["number_precision"]),
    refused("a depth of 100,000", "[".repeat(100_000), ["too_deep"]),
    refused("a depth of 100,000 in objects", '{"a":'.repeat(100_000), ["too_deep"]),
    refused("no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), ["encoding"]),
    refused("10 MB", `"${"x".repeat(10_000_000)}"`, ["payload_too_large"], 413),
    {
      ...refused("another type", "a=1", ["unsupported_media_type", "accept-post: application/json"], 415),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    },
    {
      ...refused("another charset", "{}", ["unsupported_media_type"], 415),
      headers: { "content-type": "application/json; charset=latin1" },
    },
    {
      ...refused("a packed body", "{}", ["unsupported_media_type", "accept-encoding: identity"], 415),
      headers: { "content-encoding": "gzip" },
    },
  ];
  for (const scenario of list) test(scenario.name, () => check(started.target, scenario).then(() => {}));

  test("what is unusual but right is taken", async () => {
    const body = `\ufeff {${film},"notes":{"constructor":1,"😀":"\\ud83d\\ude00","n":[0.1,-0,1e2,123456789012345,0.30000000000000004]}}\n`;
    const headers = { "content-type": "application/json; charset=UTF-8" };
    await check(started.target, {
      name: "right",
      actor: ["staff"],
      method: "POST",
      path: "/api/films",
      headers,
      body,
      status: 201,
      contains: ["0.30000000000000004"],
    });
  });

  test("a body of unknown length is bounded too", async () => {
    const chunk = `${(65_536).toString(16)}\r\n${"x".repeat(65_536)}\r\n`;
    const text = `POST /api/films HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}0\r\n\r\n`;
    assert.match(await exchange(started.target.port, text, /payload_too_large/), /^HTTP\/1.1 413 /);
  });
});

describe("URLs and headers", () => {
  const list: readonly Scenario[] = [
    {
      name: "wrong percent-encoding in the query",
      path: "/api/films?filter[title]=%zz",
      status: 400,
      contains: ["malformed_request"],
    },
    { name: "wrong percent-encoding in the path", path: "/api/films/%e0%a4", status: 400, contains: ["malformed_request"] },
    { name: "an encoded NUL", path: "/api/films/a%00b", status: 400, contains: ["malformed_request"] },
    {
      name: "a URL over the limit",
      path: `/api/films?filter[title]=${"x".repeat(20_000)}`,
      status: 414,
      contains: ["uri_too_long"],
    },
    { name: "a URL of 64 KB", path: `/api/films?filter[title]=${"x".repeat(65_536)}`, status: 414, contains: ["uri_too_long"] },
    {
      name: "a header over the limit",
      path: "/api/films",
      headers: { "x-large": "x".repeat(20_000) },
      status: 431,
      contains: ["headers_too_large"],
    },
    {
      name: "too many headers",
      path: "/api/films",
      headers: Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`x-${index}`, "1"])),
      status: 431,
      contains: ["headers_too_large"],
    },
    { name: "TRACE", method: "TRACE", path: "/api/films", status: 405, contains: ["allow: "] },
    { name: "a method of elsewhere", method: "PROPFIND", path: "/api/films", status: 405, contains: ["allow: GET"] },
    { name: "brackets that do not match", path: "/api/films?filter[title=x", status: 400, contains: ["malformed"] },
    { name: "empty brackets", path: "/api/films?filter[]=x", status: 400, contains: ["malformed"] },
    { name: "__proto__ in a filter", path: "/api/films?filter[__proto__][x]=1", status: 400, contains: ["unknown_field"] },
    { name: "constructor in a filter", path: "/api/films?filter[constructor][name]=1", status: 400, contains: ["unknown_field"] },
    {
      name: "a filter that contradicts itself",
      path: "/api/films?filter[title]=a&filter[title][ne]=b",
      status: 400,
      contains: ["contradiction"],
    },
    {
      name: "a filter of 70 brackets",
      path: `/api/films?filter${"[not]".repeat(70)}[title]=a`,
      status: 400,
      contains: ["too_deep"],
    },
    {
      name: "a filter of 15 levels",
      path: `/api/films?filter${"[not]".repeat(15)}[title]=a`,
      status: 400,
      contains: ["limit_exceeded"],
    },
    { name: "2000 parameters", path: `/api/films?${"a&".repeat(2000)}`, status: 400, contains: ["too_many"] },
    {
      name: "a bad token",
      path: "/api/films",
      headers: { authorization: "Bearer abc" },
      status: 401,
      contains: ['www-authenticate: Bearer error="invalid_token"'],
    },
    {
      name: "another scheme",
      path: "/api/films",
      headers: { authorization: "Basic YTpi" },
      status: 401,
      contains: ["unsupported_credentials", "www-authenticate: Bearer"],
    },
    { name: "a request id that is unsafe", path: "/api/films", headers: { "x-request-id": 'a"b' }, status: 200, lacks: ['a"b'] },
    {
      name: "a request id that is safe",
      path: "/api/films",
      headers: { "x-request-id": "abc-1" },
      status: 200,
      contains: ["x-request-id: abc-1"],
    },
    {
      name: "a trace",
      path: "/api/films",
      headers: { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
      status: 200,
      contains: [/traceparent: 00-a{32}-(?!b{16})[\da-f]{16}-01/],
    },
    {
      name: "a trace that is none",
      path: "/api/films",
      headers: { traceparent: "00-0-0-01" },
      status: 200,
      lacks: ["traceparent"],
    },
  ];
  for (const scenario of list) test(scenario.name, () => check(started.target, scenario).then(() => {}));
});

describe("bare HTTP", () => {
  const cases: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
    ["no Host", lines("GET /api/films HTTP/1.1"), /^HTTP\/1.1 400 [^]*has no Host/],
    ["two Hosts", lines("GET /api/films HTTP/1.1", "Host: a", "Host: b"), /^HTTP\/1.1 400 [^]*more than one Host/],
    [
      "two Authorizations",
      lines("GET /api/films HTTP/1.1", "Host: a", "Authorization: a", "Authorization: b"),
      /^HTTP\/1.1 400 /,
    ],
    ["a URL that fits Host", lines("GET http://a/api/films HTTP/1.1", "Host: a"), /^HTTP\/1.1 200 /],
    ["a URL that does not fit Host", lines("GET http://b/api/films HTTP/1.1", "Host: a"), /^HTTP\/1.1 400 [^]*different servers/],
    ["a target that is none", lines("GET films HTTP/1.1", "Host: a"), /^HTTP\/1.1 400 [^]*problem\+json/],
    ["a NUL in the path", lines("GET /api/films/\0 HTTP/1.1", "Host: a"), /^HTTP\/1.1 400 [^]*problem\+json/],
    ["no HTTP at all", "nonsense\r\n\r\n", /^HTTP\/1.1 400 [^]*problem\+json/],
    [
      "both lengths",
      "POST /api/films HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1.1 400 /,
    ],
    ["CONNECT", lines("CONNECT a:1 HTTP/1.1", "Host: a"), /^HTTP\/1.1 405 [^]*Allow: /],
    ["a URL over all limits", lines(`GET /${"x".repeat(300_000)} HTTP/1.1`, "Host: a"), /^HTTP\/1.1 431 /],
    ["headers over all limits", lines("GET / HTTP/1.1", "Host: a", `X-A: ${"x".repeat(300_000)}`), /^HTTP\/1.1 431 /],
    ["OPTIONS of everything", lines("OPTIONS * HTTP/1.1", "Host: a"), /^HTTP\/1.1 204 [^]*Allow: /],
  ];
  for (const [name, text, expected] of cases) {
    test(name, async () => {
      const answer = await exchange(started.target.port, text);
      assert.match(answer, expected);
      assert.doesNotMatch(answer, /\bat .*\.ts|node:internal/);
    });
  }

  test("headers that do not arrive in time", async () => {
    assert.match(
      await exchange(started.target.port, "GET /api/films HTTP/1.1\r\nHost: a\r\n"),
      /^HTTP\/1.1 408 [^]*request_timeout/,
    );
  });

  test("a body that does not arrive in time", async () => {
    assert.match(
      await exchange(
        started.target.port,
        "POST /api/films HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
      ),
      /^HTTP\/1.1 408 /,
    );
  });

  test("a client that waits for leave gets it, or gets its refusal", async () => {
    const head = "POST /api/actions/double HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n";
    assert.match(
      await exchange(started.target.port, `${head}Content-Length: 8\r\n\r\n{"of":3}`, /twice/),
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /,
    );
    assert.match(await exchange(started.target.port, `${head}Content-Length: 90000000\r\n\r\n`, /\}$/), /^HTTP\/1.1 413 /);
  });

  test("the process is still there", async () => {
    assert.equal((await ask(started.target, { path: "/health/ready" })).status, 200);
  });
});
