/** A schema of many types of PostgreSQL, what adopting it says, and rows in it. */
import type { TypesOf } from "./types.ts";

const types = `
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s');
CREATE DOMAIN age AS integer CHECK (VALUE >= 0);
CREATE TABLE "Person" (
  "Id" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name varchar(40) NOT NULL UNIQUE,
  mood mood NOT NULL DEFAULT 'ok',
  age age,
  size text CHECK (size = ANY (ARRAY['S'::text, 'M'::text])),
  price numeric(10,2) NOT NULL DEFAULT 0 CHECK (price >= 0 AND price <= 1000),
  big numeric(30,10), any_number numeric, ratio real DEFAULT 0.1, score double precision,
  born date, at time, made timestamp NOT NULL DEFAULT now(), seen timestamptz, count bigint DEFAULT 0,
  doc jsonb DEFAULT '{}', raw json, photo bytea, is_vip boolean NOT NULL DEFAULT false, uid uuid DEFAULT gen_random_uuid(),
  address inet, code char(4), tags text[], period interval, place point,
  shout text GENERATED ALWAYS AS (upper(name)) STORED
);
COMMENT ON TABLE "Person" IS 'People */ of the shop';
COMMENT ON COLUMN "Person".price IS 'In euros,
before tax';
CREATE TABLE event (at timestamptz NOT NULL, person_id integer REFERENCES "Person" ON DELETE CASCADE, what text) PARTITION BY RANGE (at);
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE MATERIALIZED VIEW rich AS SELECT "Id", price FROM "Person" WHERE price > 100;
CREATE TABLE child (a integer, b text, PRIMARY KEY (a, b)); CREATE TABLE grand_child (id bigserial PRIMARY KEY, child_a integer, child_b text, FOREIGN KEY (child_b, child_a) REFERENCES child (b, a) ON DELETE SET DEFAULT);
CREATE SCHEMA other; CREATE TABLE other.far (id integer PRIMARY KEY); CREATE TABLE near (id integer PRIMARY KEY, far_id integer REFERENCES other.far (id));
`;

export const postgresTypes: TypesOf = {
  product: "postgres",
  sql: types,
  lines: [
    "/** People *\\/ of the shop */",
    "   * before tax",
    'id: serial().column("Id", "integer")',
    'mood: choice("sad", "ok", "it\'s").default("ok").column("mood", "mood")',
    'age: integer().optional().column("age", "age")',
    'size: choice("S", "M").optional().column("size", "text")',
    'price: decimal(10, 2).min("0").max("1000").default("0").column("price", "numeric(10,2)")',
    'made: datetime().default(now).column("made", "timestamp without time zone")',
    'uid: uuid().optional().default(byDatabase).column("uid", "uuid")',
    'shout: text().optional().readOnly().default(byDatabase).column("shout", "text")',
    '.without("tags", "period", "place")',
    'child: belongsTo(() => children, { inverse: "grandChildren" }).optional().column("child_a", "child_b")',
  ],
  remarks: [
    /Person\.tags: no field type holds text\[\]/,
    /near\.far_id: it refers to other\.far, which is not served/,
    /grand_child\.child_b, child_a: when the row of child goes/,
  ],
  given: {
    name: "Ann",
    mood: "it's",
    age: 3,
    size: "M",
    price: "12.50",
    ratio: 0.1,
    born: "2000-02-29",
    at: "10:11:12",
    seen: "2026-01-02T03:04:05.678Z",
    made: "2026-01-02T03:04:05.678Z",
    doc: { a: [1, "x"] },
    raw: [1],
    photo: "AP8=",
    address: "10.0.0.1",
    code: "ab",
    count: "9007199254740993",
    isVip: true,
  },
  id: 1,
  shown: { big: null, anyNumber: null, score: null, shout: "ANN", address: "10.0.0.1/32" },
  made: ["uid"],
  bob: { price: "0.10", ratio: 0.2 },
  unsorted: ["doc", "raw", "photo"],
  filters: [
    "filter[mood]=it's",
    "filter[mood][in]=sad,it's",
    "filter[price][gt]=12.49",
    "filter[ratio]=0.1",
    "filter[made]=2026-01-02T03:04:05.678Z",
    "filter[made][lt]=2026-01-03T00:00:00Z",
    "filter[address]=10.0.0.1",
    "filter[count]=9007199254740993",
    "filter[code]=ab",
    "filter[doc.a][isNull]=false",
    "filter[isVip]=true",
    "filter[name][startsWith]=A",
    "filter[born][between]=2000-01-01,2000-12-31",
  ],
};
