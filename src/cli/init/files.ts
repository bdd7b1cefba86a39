/** The files of a new app, as text. */

export interface AppFacts {
  /** The name of its package. */
  readonly name: string;
  /** What it depends on: a version range, or `file:` and a path. */
  readonly holdfast: string;
}

export function appFiles(facts: AppFacts): Readonly<Record<string, string>> {
  return {
    "backend.ts": backendFile,
    "backend.test.ts": testFile,
    "package.json": `${JSON.stringify(manifestOf(facts), null, 2)}\n`,
    "tsconfig.json": `${JSON.stringify(typescript, null, 2)}\n`,
    "README.md": readmeOf(facts),
    ".gitignore": ["node_modules", "*.db", "*.db-shm", "*.db-wal", "*.key", ".env", ""].join("\n"),
  };
}

function manifestOf({ name, holdfast }: AppFacts): object {
  return {
    name,
    private: true,
    type: "module",
    scripts: { dev: "holdfast dev", start: "holdfast start", test: "node --test", check: "tsc && holdfast check" },
    dependencies: { holdfast },
    devDependencies: { "@types/node": "^24.10.1", node: "^24.15.0", typescript: ">=5.9 <8" },
    allowScripts: { node: true },
  };
}

const typescript = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "esnext.disposable"],
    module: "nodenext",
    types: ["node"],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  },
  include: ["*.ts"],
};

const backendFile = `/** The whole backend: what there is, who may touch it, and what can be done. */
import { backend, belongsTo, boolean, choice, date, me, model, or, refuse, text } from "holdfast";

/** A list of tasks belongs to whoever made it, and may be shown to everyone. */
export const lists = model("lists", {
  title: text().min(1).max(100),
  owner: text().default(me).readOnly(),
  isPublic: boolean().default(false),
})
  .access(({ row, me }) => ({
    read: or(row.isPublic.eq(true), row.owner.eq(me.id), me.has("admin")),
    create: me.signedIn,
    update: row.owner.eq(me.id),
    delete: or(row.owner.eq(me.id), me.has("admin")),
  }))
  .index("owner")
  .index("isPublic");

/** Whoever may see a list sees its tasks; only its owner works on them. */
export const tasks = model("tasks", {
  title: text().min(1).max(300),
  status: choice("open", "done").default("open"),
  dueOn: date().optional(),
  list: belongsTo(() => lists, { inverse: "tasks", onDelete: "cascade" }).immutable(),
})
  .access(({ row, me }) => ({
    read: or(row.list.isPublic.eq(true), row.list.owner.eq(me.id), me.has("admin")),
    write: row.list.owner.eq(me.id),
  }))
  .index("list", "status", "dueOn")
  .timestamps();

export default backend({ lists, tasks })
  // POST /api/actions/finishAll { "list": "…" }
  .action("finishAll", {
    summary: "Marks every open task of a list as done.",
    input: { list: text() },
    access: ({ me }) => me.signedIn,
    async run({ input, me, db, transaction }) {
      const list = await db.lists.get(input.list);
      if (list.owner !== me.id) throw refuse("not_your_list", "Only the owner of a list finishes its tasks.", { status: 403 });
      return transaction(async (tx) => ({
        finished: await tx.tasks.updateMany({
          where: { list: input.list, status: "open" },
          data: { status: "done" },
          maxAffected: 1000,
        }),
      }));
    },
  });
`;

const testFile = `/** What the rules promise, tried on an app with a database of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestApp, runScenarios } from "holdfast/testing";
import app from "./backend.ts";

const ann = { id: "ann" };
const bob = { id: "bob" };

test("a list is its owner's", async () => {
  await using t = await createTestApp(app);
  const list = await t.as(ann).lists.create({ title: "Groceries" });
  assert.equal(list.owner, "ann");
  await assert.rejects(t.as(bob).lists.get(list.id), { code: "not_found" });
  await t.as(ann).lists.update(list.id, { isPublic: true });
  assert.equal((await t.as(bob).lists.get(list.id)).title, "Groceries");
  await assert.rejects(t.as(bob).lists.update(list.id, { title: "Mine" }), { code: "forbidden" });
});

test("finishAll finishes what is open", async () => {
  await using t = await createTestApp(app);
  const { id } = await t.as(ann).lists.create({ title: "Groceries", isPublic: true });
  await t.as(ann).tasks.createMany([
    { title: "Milk", list: id },
    { title: "Bread", list: id, status: "done" },
    { title: "Salt", list: id },
  ]);
  await runScenarios(t, [
    { name: "not a stranger's", actor: bob, request: { path: "/api/actions/finishAll", body: { list: id } }, status: 403, contains: ["not_your_list"] },
    { name: "the owner's", actor: ann, request: { path: "/api/actions/finishAll", body: { list: id } }, status: 200, contains: ['"finished":2'] },
    { name: "nothing is left", request: { path: \`/api/tasks?filter[list]=\${id}&filter[status]=open\` }, status: 200, contains: ['"data":[]'] },
  ]);
});
`;

function readmeOf({ name }: AppFacts): string {
  return `# ${name}

A backend with [Holdfast](https://www.npmjs.com/package/holdfast): lists of tasks, in one file, [backend.ts](backend.ts).

\`\`\`sh
npm install
npm test        # backend.test.ts, on a database of its own
npm run dev     # serves it, and restarts on every change
\`\`\`

\`npm run dev\` prints the address of the API, of its documentation (\`/docs\`), and a token for development. As somebody else:

\`\`\`sh
TOKEN=$(npx holdfast token --sub ann)
curl localhost:3000/api/lists -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"title":"Groceries"}'
curl "localhost:3000/api/lists?expand=tasks" -H "Authorization: Bearer $TOKEN"
\`\`\`

| Command | What it does |
|---|---|
| \`npx holdfast check\` | finds trouble before it happens: slow rules, unbounded lists, doors nobody can open |
| \`npx holdfast explain --model lists --action update --id ID --sub bob\` | says which clause of which rule decided |
| \`npx holdfast migrate plan\` | shows what a change of backend.ts does to the database |
| \`npx holdfast backup FILE\` | copies the database while it is in use |

In production: \`HOLDFAST_SECRET=$(openssl rand -base64 32) npx holdfast start --mode production --migrate\`, with the same secret every time.
`;
}
