/** Which of the two servers is at the other end, and whether it gives the same answers as the other databases. */
import { mariadb } from "../variants/mariadb.ts";
import { mysql } from "../variants/mysql.ts";
import type { Variant } from "../variants/variant.ts";

/** @throws with what to do where the server is too old to give the same answers as the other databases */
export function variantOf(version: string): Variant {
  const variant = /mariadb/i.test(version) ? mariadb : mysql;
  const { title, oldest } = variant;
  const [, major, minor] = /^(?:5\.5\.5-)?(\d+)\.(\d+)/.exec(version) ?? [];
  const isOld = Number(major) < oldest[0] || (Number(major) === oldest[0] && Number(minor) < oldest[1]);
  if (isOld) throw new Error(`the server is ${title} ${version}: use ${title} ${oldest.join(".")} or later`);
  return variant;
}
