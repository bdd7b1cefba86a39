/** The public API, name by name. */
export { type App, createApp } from "./app/app.ts";
export type { AppOptions, TokenOptions } from "./app/options.ts";
export type { AppError, Issue } from "./base/errors.ts";
export type { StandardSchema } from "./engine/write/action.ts";
export { type RefuseOptions, refuse } from "./engine/write/refuse.ts";
export { type Actor, anonymous, createActor } from "./engine/actor.ts";
export {
  type ActionHandlerContext,
  type ActionOptions,
  type Actions,
  type Backend,
  backend,
  type ModelHookContext,
} from "./engine/backend.ts";
export type { Change } from "./engine/write/change.ts";
export type { Db, Group, Listed, ListQuery, ModelApi } from "./engine/db.ts";
export type { LimitsOptions } from "./engine/limits.ts";
export type {
  ChangeInput,
  Comparison,
  CreateInput,
  OrderBy,
  Registry,
  Result,
  Row,
  Select,
  UpdateInput,
  Where,
} from "./engine/typed.ts";
export { and, type Cond, everyone, nobody, not, or } from "./schema/cond.ts";
export {
  bigint,
  boolean,
  type ByDatabase,
  byDatabase,
  bytes,
  choice,
  date,
  datetime,
  decimal,
  email,
  type Field,
  type Flag,
  float,
  type Generated,
  generated,
  integer,
  json,
  list,
  type Me,
  me,
  type Now,
  now,
  serial,
  slug,
  text,
  time,
  url,
  uuid,
} from "./schema/field.ts";
export {
  type AccessRules,
  type Adopted,
  type FieldRules,
  type IdOf,
  type IndexOptions,
  type Members,
  type Model,
  model,
  type RuleContext,
} from "./schema/model.ts";
export {
  type BelongsTo,
  type BelongsToOptions,
  belongsTo,
  type HasMany,
  hasMany,
  type HasOne,
  type HasOptions,
  hasOne,
  manyToMany,
  type ThroughOptions,
} from "./schema/relation.ts";
export { expr, type Many, type MeTerms, type RowOf, type Term } from "./schema/rule.ts";
export type { GenerateContext, OnDelete } from "./schema/schema.ts";
export type { Json } from "./schema/value.ts";
