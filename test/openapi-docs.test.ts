/** /openapi.json and /docs as they are served: types, caching, policies, no third party, and a place for every error code. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { AppError } from "../src/base/errors.ts";
import { createFreshApp } from "./fresh.ts";
import { anonymous } from "../src/engine/actor.ts";
import { createOpenapi } from "../src/protocols/openapi/openapi.ts";
import type { WireResponse } from "../src/protocols/wire.ts";
import { backendOfAll } from "./openapi/backend.ts";
import { errorTables } from "./openapi/document.ts";

const app = await createFreshApp(backendOfAll, { log: false });
const docs = createOpenapi(app.engine, { title: 'Films & "more" <b>', version: "1.0.0", mount: "/api", errors: errorTables });
after(() => app.stop());

interface Got extends WireResponse {
  readonly named: ReadonlyMap<string, string>;
  readonly text: string;
}

const nobody = {
  actor: anonymous,
  requestId: "r",
  since: null,
  prompt: false,
  position: null,
  timings: null,
  parseMs: 0,
  operation: null,
};

async function get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> {
  const context = { ...nobody };
  const response = await docs({ method, path, search: "", headers, body: null, prompt: false }, context);
  assert.ok(response, `${path} is not served`);
  const named = new Map<string, string>();
  for (let index = 0; index < response.headers.length; index += 2)
    named.set((response.headers[index] as string).toLowerCase(), response.headers[index + 1] as string);
  return {
    ...response,
    named,
    text: typeof response.body === "string" ? response.body : Buffer.from(response.body ?? "").toString(),
  };
}

const pages = ["/docs/", "/docs/errors"];
const scripts = ["/docs/init.js", "/docs/swagger-ui-bundle.js"];
const files = [...pages, ...scripts, "/docs/docs.css", "/docs/swagger-ui.css", "/docs/favicon-32x32.png", "/openapi.json"];

describe("the files", () => {
  for (const path of files) {
    test(`${path} has a type, a tag, and is not sent twice`, async () => {
      const { status, named, body } = await get(path);
      const type = {
        html: /^text\/html/,
        js: /^text\/javascript/,
        css: /^text\/css/,
        png: /^image\/png/,
        json: /^application\/json/,
      };
      const ending = (/\.(\w+)$/.exec(path)?.[1] ?? "html") as keyof typeof type;
      assert.equal(status, 200);
      assert.match(named.get("content-type") ?? "", type[ending]);
      assert.ok((body?.length ?? 0) > 100);
      const tag = named.get("etag") ?? "";
      assert.match(tag, /^"[\w-]+"$/);
      assert.equal((await get(path, { "if-none-match": `"x", W/${tag}` })).status, 304);
      assert.equal((await get(path, { "if-none-match": '"x"' })).status, 200);
    });
  }

  test("are packed for who takes it", async () => {
    const plain = await get("/openapi.json");
    const packed = await get("/openapi.json", { "accept-encoding": "br, gzip" });
    assert.equal(packed.named.get("content-encoding"), "gzip");
    assert.equal(gunzipSync(packed.body as Uint8Array).toString(), plain.text);
    assert.notEqual(packed.named.get("etag"), plain.named.get("etag"));
    assert.equal((await get("/openapi.json", { "accept-encoding": "gzip;q=0" })).named.get("content-encoding"), undefined);
  });

  test("the document is that of the engine", async () => {
    const document = JSON.parse((await get("/openapi.json")).text) as { openapi: string; paths: object };
    assert.equal(document.openapi, "3.1.0");
    assert.ok("/api/films" in document.paths);
  });

  test("/docs leads to /docs/, also under another path", async () => {
    const { status, named } = await get("/docs");
    assert.deepEqual([status, named.get("location")], [308, "docs/"]);
  });

  test("other paths are not ours, and other methods are refused", async () => {
    const context = { ...nobody };
    for (const path of [
      "/docs/index.html",
      "/docs/../package.json",
      "/docs/swagger-ui-bundle.js.map",
      "/doc",
      "/api/films",
      "/openapi",
    ])
      assert.equal(docs({ method: "GET", path, search: "", headers: {}, body: null, prompt: false }, context), null, path);
    await assert.rejects(
      get("/docs/", {}, "POST"),
      (error) => error instanceof AppError && error.code === "method_not_allowed" && error.headers["Allow"] !== undefined,
    );
    assert.equal((await get("/docs/", {}, "OPTIONS")).status, 204);
    assert.equal((await get("/docs/", {}, "HEAD")).status, 200);
  });
});

/** What a page would run or load in spite of its policy, or from elsewhere. */
function findStrays(page: string): string[] {
  const inline = [...page.matchAll(/<script(?![^>]*\bsrc=)[^>]*>|<style|\son\w+=|javascript:/gi)].map(([found]) => found);
  const loaded = [...page.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, target = ""]) => target);
  return [...inline, ...loaded.filter((target) => /^(?:[a-z]+:)?\/\//i.test(target))];
}

describe("the pages", () => {
  for (const path of pages) {
    test(`${path} runs no inline script, loads nothing from elsewhere, and escapes the title`, async () => {
      const { text, pagePolicy = "" } = await get(path);
      assert.match(pagePolicy, /default-src 'none'; script-src 'self';/);
      assert.doesNotMatch(pagePolicy, /unsafe-eval|script-src[^;]*unsafe|https?:|\*/);
      assert.deepEqual(findStrays(text), []);
      assert.ok(text.includes("Films &amp; &quot;more&quot; &lt;b&gt;"));
      for (const [, target = ""] of text.matchAll(/<(?:script|link)[^>]*(?:src|href)="([^"]*)"/g))
        assert.ok(files.includes(`/docs/${target}`), target);
    });
  }

  test("planted strays are found", () => {
    assert.equal(
      findStrays('<script>a()</script><img src="//cdn.example/a.png"><p onclick="b()"><a href="https://example.com">').length,
      4,
    );
  });

  test("our scripts name no other server", async () => {
    for (const path of ["/docs/init.js", "/docs/docs.css"]) assert.doesNotMatch((await get(path)).text, /https?:\/\//);
  });

  test("a problem's type leads to the explanation of its code", async () => {
    const { text } = await get("/docs/errors");
    for (const table of errorTables) {
      for (const code of Object.keys(table)) assert.equal(text.split(`<section id="${code}">`).length, 2, code);
    }
    assert.ok(text.includes("<code>Authorization: Bearer &lt;token&gt;</code>"));
  });
});
