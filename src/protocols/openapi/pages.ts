/** The pages of /docs and what they load of our own: no inline script, no address of another server. */
import type { ErrorTable } from "./problems.ts";

/** What the pages may load; Swagger UI sets style attributes and has icons as data. */
export const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const head = (title: string, more = "") => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" type="image/png" href="favicon-32x32.png">
${more}<link rel="stylesheet" href="docs.css">
</head>`;

/** The page that shows the document. */
export function indexPage(title: string): string {
  return `${head(`${title} · API`, '<link rel="stylesheet" href="swagger-ui.css">\n')}
<body>
<header>
<a class="title" href="./">${escapeHtml(title)}</a>
<nav><a href="errors">Errors</a><a href="../openapi.json">openapi.json</a></nav>
<form id="sign-in"><label for="token">Bearer token</label><input id="token" type="password" autocomplete="off" spellcheck="false" placeholder="none: you are anonymous"><button type="submit">Use</button><output id="signed-in" for="token"></output></form>
</header>
<main id="api"><p class="wait">The API is described in <a href="../openapi.json">openapi.json</a>.</p></main>
<script src="swagger-ui-bundle.js"></script>
<script src="init.js"></script>
</body>
</html>
`;
}

/** The page that explains every error code, each under its own anchor. */
export function errorsPage(title: string, tables: readonly ErrorTable[]): string {
  const errors = tables.flatMap((table) => Object.entries(table)).sort(([a], [b]) => (a < b ? -1 : 1));
  const contents = errors.map(([code]) => `<li><a href="#${code}">${code}</a></li>`).join("\n");
  const sections = errors.map(
    ([code, { status, message, explanation }]) =>
      `<section id="${code}"><h2><a href="#${code}">${code}</a><span class="status s${String(status).charAt(0)}">${status}</span></h2><p class="message">${inline(message)}</p><p>${inline(explanation)}</p></section>`,
  );
  return `${head(`${title} · Errors`)}
<body>
<header><a class="title" href="./">${escapeHtml(title)}</a><nav><a href="./">API</a><a href="../openapi.json">openapi.json</a></nav></header>
<main class="errors">
<h1>Errors</h1>
<p>Whatever is refused is answered with a problem document (RFC 9457), and its <code>code</code> is one of these. Words in braces are filled in.</p>
<ul class="contents">
${contents}
</ul>
${sections.join("\n")}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Text with code between backticks, and lines. */
function inline(text: string): string {
  const parts = escapeHtml(text).split("`");
  return parts.map((part, index) => (index % 2 === 0 ? part.replaceAll("\n", "<br>") : `<code>${part}</code>`)).join("");
}

/** Starts Swagger UI; the token stays in this tab. */
export const initScript = `"use strict";
(() => {
  const input = document.getElementById("token");
  const said = document.getElementById("signed-in");
  const key = "holdfast-token";

  // Swagger UI writes brackets to the first depth only, and leaves JSON behind it.
  function withBrackets(url) {
    const target = new URL(url, location.href);
    const params = [...target.searchParams];
    const written = [];
    const write = (name, value) => {
      if (Array.isArray(value) && /\\[(in|nin|between)\\]$/.test(name)) written.push([name, value.join(",")]);
      else if (typeof value === "object" && value !== null) for (const [inner, part] of Object.entries(value)) write(name + "[" + inner + "]", part);
      else written.push([name, String(value)]);
    };
    for (const [name, value] of params) {
      let parsed = null;
      if (name.includes("[") && /^[[{]/.test(value)) {
        try {
          parsed = JSON.parse(value);
        } catch {
          parsed = null;
        }
      }
      if (parsed === null) written.push([name, value]);
      else write(name, parsed);
    }
    target.search = new URLSearchParams(written).toString();
    return target.href;
  }

  const ui = SwaggerUIBundle({
    url: new URL("../openapi.json", location.href).href,
    domNode: document.getElementById("api"),
    deepLinking: true,
    validatorUrl: null,
    filter: true,
    tryItOutEnabled: true,
    displayOperationId: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    requestInterceptor: (request) => {
      request.url = withBrackets(request.url);
      return request;
    },
    onComplete: () => use(sessionStorage.getItem(key) ?? ""),
  });

  function use(token) {
    if (token === "") {
      if (input.dataset.used === "yes") ui.authActions.logout(["bearer"]);
      sessionStorage.removeItem(key);
    } else {
      ui.preauthorizeApiKey("bearer", token);
      sessionStorage.setItem(key, token);
    }
    input.value = token;
    input.dataset.used = token === "" ? "no" : "yes";
    said.value = token === "" ? "" : "in use";
  }

  document.getElementById("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    use(input.value.trim().replace(/^Bearer\\s+/i, ""));
  });
})();
`;

/** Our part of the looks. */
export const styleSheet = `:root { color-scheme: light; --ink: #1b2733; --line: #d9e0e6; --accent: #0b6e63; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: center; padding: 12px 24px; background: var(--ink); color: #fff; }
header a { color: #fff; text-decoration: none; }
header a:hover { text-decoration: underline; }
header .title { font-size: 18px; font-weight: 600; }
header nav { display: flex; gap: 16px; }
header form { display: flex; gap: 8px; align-items: center; margin-left: auto; font-size: 14px; }
header input { width: 240px; padding: 6px 8px; border: 1px solid #5b6b7a; border-radius: 4px; background: #fff; color: var(--ink); font: inherit; }
header button { padding: 6px 14px; border: 0; border-radius: 4px; background: var(--accent); color: #fff; font: inherit; cursor: pointer; }
header output { min-width: 48px; color: #9fe3d8; }
.wait { padding: 24px; }
.swagger-ui .info { margin: 32px 0 16px; }
.swagger-ui .info .title { font-family: inherit; }
.swagger-ui .info hgroup > a, .swagger-ui .scheme-container { display: none; }
.swagger-ui .parameters textarea { height: 96px; min-height: 64px; }
.errors { max-width: 860px; margin: 0 auto; padding: 24px; }
.errors .contents { columns: 3 200px; padding-left: 20px; font-size: 14px; }
.errors .contents a, .errors h2 a { color: var(--accent); text-decoration: none; }
.errors section { padding: 4px 16px; border-left: 4px solid transparent; border-top: 1px solid var(--line); }
.errors section:target { border-left-color: var(--accent); background: #eef7f5; }
.errors h2 { display: flex; gap: 12px; align-items: center; margin: 12px 0 4px; font: 600 18px ui-monospace, monospace; }
.errors .status { padding: 1px 8px; border-radius: 4px; background: #e5eaee; font-size: 14px; }
.errors .s4 { background: #fdeecb; }
.errors .s5 { background: #f9d9d6; }
.errors .message { margin: 4px 0; font-weight: 600; }
.errors code { padding: 1px 4px; border-radius: 3px; background: #eef1f4; font-size: 90%; }
`;
