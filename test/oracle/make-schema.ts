/** Random models: every kind of field, every kind of key and relation, hidden and computed fields, trash and search. */
import { makeFieldRules, makeRule } from "./make-rules.ts";
import type { Random } from "./random.ts";
import { type FieldDef, fieldOf, type Kind, type ModelDef, modelOf, type RelationDef, type Rules } from "./world.ts";

const modelNames = ["ants", "bees", "cats", "dogs"];
const kinds: readonly Kind[] = [
  "text",
  "integer",
  "bigint",
  "float",
  "decimal",
  "boolean",
  "datetime",
  "date",
  "time",
  "uuid",
  "choice",
  "json",
  "bytes",
  "list",
  "email",
  "url",
  "slug",
];
const oddNames = ["order", "from2", "select", "values", "index", "fromDate", "limit"];

export function defineField(name: string, kind: Kind, more: Partial<FieldDef> = {}): FieldDef {
  return {
    name,
    kind,
    optional: false,
    hidden: false,
    unique: false,
    computed: null,
    target: null,
    filled: "caller",
    small: false,
    ...more,
  };
}

/** Two to four models, whose rules may speak of each other. */
export function makeModels(random: Random): Map<string, ModelDef> {
  const models = new Map<string, ModelDef>();
  const count = 2 + random.int(3);
  for (const name of modelNames.slice(0, count)) models.set(name, makeModel(random, name, models));
  if (random.chance(0.7)) addJoin(random, models);
  for (const model of Array.from(models.values())) models.set(model.name, { ...model, rules: makeRules(random, model, models) });
  return models;
}

const noRules: Rules = {
  read: { is: "everyone" },
  create: { is: "nobody" },
  update: { is: "nobody" },
  delete: { is: "nobody" },
  fields: {},
};

function makeModel(random: Random, name: string, before: Map<string, ModelDef>): ModelDef {
  const { key, fields } = makeKey(random);
  const odd = random.chance(0.2) ? random.pick(oddNames) : null;
  const chosen = random.some(kinds, 9);
  while (chosen.length < 4) chosen.push(random.pick(kinds));
  for (const [index, kind] of [...chosen, "text" as const].entries()) {
    fields.push(makeField(random, index === 0 && odd ? odd : `${kind}${index}`, kind));
  }
  const relations = addOwn(random, name, { fields, before });
  fields.push(...makeComputed(random, fields));
  const timestamps = random.chance(0.4);
  const softDelete = random.chance(0.4);
  if (timestamps)
    fields.push(
      defineField("createdAt", "datetime", { filled: "engine" }),
      defineField("updatedAt", "datetime", { filled: "engine" }),
    );
  if (softDelete) fields.push(defineField("deletedAt", "datetime", { filled: "engine", optional: true }));
  fields.push(defineField("version", "integer", { filled: "engine", small: true }));
  const search = random.chance(0.6)
    ? fields
        .filter(({ kind, computed }) => kind === "text" && !computed)
        .slice(0, 2)
        .map((field) => field.name)
    : [];
  return { name, key, fields, relations, softDelete, timestamps, search, rules: noRules };
}

function makeKey(random: Random): { key: string[]; fields: FieldDef[] } {
  const chance = random.next();
  if (chance < 0.45) return { key: ["id"], fields: [defineField("id", "uuid")] };
  if (chance < 0.6) return { key: ["id"], fields: [defineField("id", "integer", { filled: "serial" })] };
  if (chance < 0.9) {
    const field = random.pick([
      defineField("code", "text"),
      defineField("code", "slug"),
      defineField("code", "integer"),
      defineField("code", "bigint"),
      defineField("code", "decimal", { precision: 18, scale: 2 }),
      defineField("code", "date"),
      defineField("code", "datetime"),
    ]);
    return { key: ["code"], fields: [field] };
  }
  return { key: ["part", "number"], fields: [defineField("part", "text"), defineField("number", "integer", { small: true })] };
}

function makeField(random: Random, name: string, kind: Kind): FieldDef {
  const more: Partial<FieldDef> = { optional: random.chance(0.5), hidden: random.chance(0.1), small: random.chance(0.6) };
  if (kind === "decimal")
    return defineField(name, kind, {
      ...more,
      ...random.pick([
        { precision: 8, scale: 2 },
        { precision: 18, scale: 4 },
        { precision: 18, scale: 0 },
        { precision: 5, scale: 5 },
      ]),
    });
  if (kind === "choice") return defineField(name, kind, { ...more, choices: ["G", "PG", "r", "ü", "PG-13"] });
  if (kind === "list")
    return defineField(name, kind, {
      ...more,
      item: random.pick([
        defineField("", "text"),
        defineField("", "integer"),
        defineField("", "decimal", { precision: 8, scale: 2 }),
        defineField("", "boolean"),
        defineField("", "bigint"),
        defineField("", "float"),
        defineField("", "date"),
        defineField("", "datetime"),
        defineField("", "uuid"),
      ]),
    });
  if (kind === "json" && random.chance(0.6)) {
    const deep = defineField("deep", "json", {
      optional: true,
      shape: [defineField("flag", "boolean"), defineField("word", "text", { optional: true })],
    });
    return defineField(name, kind, {
      ...more,
      shape: [
        defineField("a", "text", { optional: true }),
        defineField("n", "integer", { optional: true }),
        defineField("d", "decimal", { optional: true, precision: 8, scale: 2 }),
        deep,
      ],
    });
  }
  return defineField(name, kind, more);
}

// Relations to models that are there already, and to the model itself.
function addOwn(
  random: Random,
  name: string,
  { fields, before }: { readonly fields: FieldDef[]; readonly before: Map<string, ModelDef> },
): RelationDef[] {
  const relations: RelationDef[] = [];
  const ownKey = fields.slice(0, fields[0]?.name === "part" ? 2 : 1);
  const self = ownKey.length === 1 && random.chance(0.35) ? [{ to: name, key: ownKey[0] as FieldDef }] : [];
  const others = random
    .some(
      [...before.values()].filter((model) => model.key.length === 1),
      2,
    )
    .map((model) => ({ to: model.name, key: fieldOf(model, model.key[0] as string) as FieldDef }));
  for (const [index, { to, key }] of [...others, ...self].entries()) {
    const field = `${to === name ? "parent" : to.slice(0, -1)}${index}`;
    const unique = random.chance(0.2);
    const { filled: _, name: __, ...type } = key;
    fields.push(
      defineField(field, key.kind, {
        ...type,
        name: field,
        filled: "caller",
        target: to,
        optional: to === name || unique || random.chance(0.5),
        hidden: random.chance(0.08),
        unique,
      }),
    );
    relations.push({ name: field, to, many: false, via: { is: "own", field } });
    const back: RelationDef = {
      name: `${name}By${index}`,
      to: name,
      many: !unique,
      via: { is: "theirs", field, declared: random.chance(0.5) ? "inverse" : "has" },
    };
    if (to === name) relations.push(back);
    else before.set(to, addRelation(modelOf({ models: before }, to), back));
  }
  return relations;
}

function addRelation(model: ModelDef, relation: RelationDef): ModelDef {
  return { ...model, relations: [...model.relations, relation] };
}

// A model between two others, or between one and itself; its key is the pair, or an id of its own.
function addJoin(random: Random, models: Map<string, ModelDef>): void {
  const able = [...models.values()].filter((model) => model.key.length === 1);
  if (able.length === 0) return;
  const left = random.pick(able);
  const right = random.pick(able);
  const keyField = (name: string, model: ModelDef) => {
    const { filled: _, ...type } = fieldOf(model, model.key[0] as string) as FieldDef;
    return defineField(name, type.kind, { ...type, name, filled: "caller", target: model.name });
  };
  const own = random.chance(0.5);
  const fields = [
    ...(own ? [defineField("id", "uuid")] : []),
    keyField("from", left),
    keyField("to", right),
    makeField(random, "note", "text"),
    defineField("version", "integer", { filled: "engine" }),
  ];
  const relations: RelationDef[] = [
    { name: "from", to: left.name, many: false, via: { is: "own", field: "from" } },
    { name: "to", to: right.name, many: false, via: { is: "own", field: "to" } },
  ];
  models.set("links", {
    name: "links",
    key: own ? ["id"] : ["from", "to"],
    fields,
    relations,
    softDelete: false,
    timestamps: false,
    search: [],
    rules: noRules,
  });
  models.set(
    left.name,
    addRelation(modelOf({ models }, left.name), {
      name: "linked",
      to: right.name,
      many: true,
      via: { is: "join", model: "links", from: "from", to: "to" },
    }),
  );
  if (random.chance(0.5))
    models.set(
      right.name,
      addRelation(modelOf({ models }, right.name), {
        name: "linkedBy",
        to: left.name,
        many: true,
        via: { is: "join", model: "links", from: "to", to: "from" },
      }),
    );
}

function makeComputed(random: Random, fields: readonly FieldDef[]): FieldDef[] {
  const made: FieldDef[] = [];
  const stored = (kind: Kind) =>
    fields.filter((field) => field.kind === kind && !field.target && (kind === "text" || field.small));
  const decimals = stored("decimal").filter(({ scale = 0 }) => scale <= 4);
  const integers = stored("integer");
  const names = stored("text");
  if (decimals.length > 0 && random.chance(0.7)) {
    const args = [
      { field: random.pick(decimals).name },
      random.pick([{ field: random.pick(decimals).name }, { value: 1.5 }, { value: 2 }]),
    ];
    made.push(
      defineField("computedDecimal", "decimal", {
        precision: 18,
        scale: 8,
        computed: { call: random.pick(["add", "sub", "mul"] as const), args },
        optional: true,
        small: true,
      }),
    );
  }
  if (integers.length > 0 && random.chance(0.7)) {
    const part = { call: "coalesce", args: [{ field: random.pick(integers).name }, { value: 3 }] } as const;
    made.push(
      defineField("computedInteger", "integer", {
        computed: { call: random.pick(["add", "sub", "mul"] as const), args: [part, { field: random.pick(integers).name }] },
        optional: true,
        small: true,
      }),
    );
  }
  if (names.length > 0 && random.chance(0.7)) {
    const name = { field: random.pick(names).name };
    const whole = {
      call: "concat",
      args: [name, { value: " · '" }, { call: "coalesce", args: [{ field: random.pick(names).name }, { value: "-" }] }],
    } as const;
    made.push(
      defineField("computedText", "text", {
        computed: random.chance(0.5) ? whole : { call: random.pick(["lower", "upper"] as const), args: [name] },
        optional: true,
      }),
    );
    made.push(
      defineField("computedLength", "integer", { computed: { call: "length", args: [name] }, optional: true, small: true }),
    );
  }
  return made;
}

function makeRules(random: Random, model: ModelDef, models: Map<string, ModelDef>): Rules {
  const of = { model, models };
  const read = random.chance(0.3) ? ({ is: "everyone" } as const) : makeRule(random, of, 2);
  return {
    read,
    create: makeRule(random, of, 1),
    update: makeRule(random, of, 1),
    delete: makeRule(random, of, 1),
    fields: makeFieldRules(random, of),
  };
}
