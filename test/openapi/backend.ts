/** A backend with every field type, modifier, relation and kind of key, for the tests of the OpenAPI document. */
import { backend } from "../../src/engine/backend.ts";
import { and, everyone, nobody } from "../../src/schema/cond.ts";
import {
  bigint,
  boolean,
  bytes,
  choice,
  date,
  datetime,
  decimal,
  email,
  float,
  generated,
  integer,
  json,
  list,
  me,
  now,
  serial,
  slug,
  text,
  time,
  url,
  uuid,
} from "../../src/schema/field.ts";
import { model } from "../../src/schema/model.ts";
import { type BelongsTo, belongsTo, type HasMany, hasMany, hasOne, manyToMany } from "../../src/schema/relation.ts";
import { expr } from "../../src/schema/rule.ts";

export const people = model("people", {
  name: text().max(100),
  country: text().optional(),
  secretNote: text().optional().hidden(),
  get profile() {
    return hasOne(() => profiles, { by: "person", owned: true });
  },
}).access(({ me }) => ({ read: everyone, write: me.has("staff") }));

export const profiles = model("profiles", {
  person: belongsTo(() => people, { onDelete: "cascade" }).unique(),
  about: text().max(500),
  site: url().optional(),
}).access(({ me }) => ({ read: everyone, write: me.has("staff") }));

export const films = model("films", {
  title: text().min(1).max(300),
  code: text()
    .pattern(/^[a-z]{2}-\d+$/i)
    .optional(),
  handle: slug().optional().unique(),
  rating: choice("G", "PG", "R").optional(),
  price: decimal(8, 2).min(0),
  cost: decimal(8, 2).optional(),
  stock: integer().min(0).default(0),
  views: bigint().default("0"),
  score: float().optional(),
  isNew: boolean().default(true),
  releasedAt: datetime().optional(),
  releasedOn: date().optional(),
  startsAt: time().optional(),
  reference: uuid().optional().writeOnce(),
  contact: email().optional(),
  site: url().optional(),
  poster: bytes().max(1000).optional(),
  tags: list(text().max(20)).max(5).optional(),
  prices: list(decimal(6, 2)).optional(),
  notes: json().optional(),
  origin: json({ country: text(), year: integer().optional(), budget: json({ amount: decimal(9, 2) }).optional() }).optional(),
  batchCode: text()
    .default(generated(() => "B1"))
    .immutable(),
  addedAt: datetime().default(now),
  internalRank: integer().default(0).readOnly(),
  secretCode: text().optional().hidden(),
  director: belongsTo(() => people, { inverse: "films" }).optional(),
  get sequelOf(): BelongsTo<unknown, "sequels", "optional"> {
    return belongsTo((): unknown => films, { inverse: "sequels", onDelete: "setNull" }).optional();
  },
  get scenes(): HasMany<unknown> {
    return hasMany((): unknown => scenes, { by: "film", owned: true });
  },
  get cast(): HasMany<unknown> {
    return manyToMany((): unknown => people, { through: () => roles, from: "film", to: "person" });
  },
})
  .computed("margin", decimal(10, 2))
  .from(({ row }) => expr.sub(row.price, row.cost))
  .access(({ me }) => ({
    read: everyone,
    write: me.has("staff"),
    fields: { cost: { read: me.has("staff"), write: me.has("staff") }, margin: { read: me.has("staff") } },
  }))
  .search("title", "secretCode")
  .index("price")
  .pages({ size: 5, max: 50 })
  .timestamps()
  .softDelete();

export const scenes = model("scenes", {
  film: belongsTo(() => films, { onDelete: "cascade" }),
  place: text(),
  minutes: integer().min(1),
}).access(({ me }) => ({ read: everyone, write: me.has("staff") }));

export const roles = model("roles", { film: belongsTo(() => films), person: belongsTo(() => people), name: text() })
  .key("film", "person")
  .access(({ me }) => ({ read: everyone, write: me.has("staff") }));

/** Rows of their owner, with a field that others see as null, and a key that the database counts. */
export const notes = model("notes", {
  number: serial(),
  owner: text().default(me),
  body: text(),
  draft: text().optional(),
  key: text().optional(),
})
  .key("number")
  .access(({ row, me }) => ({
    read: everyone,
    create: me.signedIn,
    update: me.signedIn,
    delete: me.signedIn,
    fields: {
      draft: { read: and(me.signedIn, row.body.ne("closed")) },
      key: { read: nobody, create: me.signedIn, update: me.signedIn },
    },
  }))
  .requireVersion();

export const countries = model("countries", { code: text().max(2), name: text() })
  .key("code")
  .access(({ me }) => ({ read: everyone, write: me.has("staff") }));

/** Written by everyone and read by nobody. */
export const letters = model("letters", { body: text() }).access(() => ({ create: everyone }));

/** For nobody at all: the document must not name it. */
export const vaults = model("vaults", { combination: text() });

export const backendOfAll = backend({ people, profiles, films, scenes, roles, notes, countries, letters, vaults })
  .action("double", {
    kind: "read",
    input: { of: integer(), by: integer().optional() },
    access: everyone,
    summary: "Double a number",
    run: ({ input }) => ({ twice: input.of * (input.by ?? 2) }),
  })
  .action("restock", {
    input: { film: uuid(), copies: integer().min(1), at: datetime().optional() },
    access: ({ me }) => me.has("staff"),
    run: ({ input, db }) => db.films.update(input.film, { stock: input.copies }),
  })
  .action("secretAction", { access: nobody, run: () => null });
