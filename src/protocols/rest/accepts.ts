/** Content negotiation: which format is asked for, which one a body has, and the preferences of RFC 7240. */
import { badHeader, failWire } from "../errors.ts";
import type { WireRequest } from "../wire.ts";

/** @throws not_acceptable where Accept leaves no room for JSON (RFC 9110, section 12.5.1). */
export function assertAcceptsJson(accept: string | undefined): void {
  if (accept === undefined || accept === "*/*" || accept === "application/json") return;
  let best = { precision: -1, quality: 0 };
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const precision = ["*/*", "application/*", "application/json"].indexOf(type);
    if (precision < best.precision || precision < 0) continue;
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    best = { precision, quality: weight === undefined ? 1 : Number(weight) };
  }
  if (best.precision < 0 || !(best.quality > 0)) throw failWire("not_acceptable");
}

/** @throws unsupported_media_type where the body is not JSON in UTF-8. */
export function assertJsonBody({ headers, method }: WireRequest): void {
  const type = headers["content-type"];
  const encoding = headers["content-encoding"];
  if (type === "application/json" && encoding === undefined) return;
  const [name = "", ...parameters] = (type ?? "").split(";").map((part) => part.trim().toLowerCase());
  const fits = name === "application/json" || (method === "PATCH" && name === "application/merge-patch+json");
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  const inUtf8 = charset === undefined || charset === "utf-8" || charset === "utf8";
  const isPlain = encoding === undefined || encoding.toLowerCase() === "identity";
  if (fits && inUtf8 && isPlain) return;
  const wanted =
    method === "PATCH" ? ["Accept-Patch", "application/json, application/merge-patch+json"] : ["Accept-Post", "application/json"];
  throw failWire("unsupported_media_type", {
    headers: { [wanted[0] as string]: wanted[1] as string, ...(isPlain ? {} : { "Accept-Encoding": "identity" }) },
  });
}

export interface Preferences {
  readonly return: "minimal" | "representation" | null;
  /** For Preference-Applied; empty where none is. */
  readonly applied: string;
}

const noPreferences: Preferences = Object.freeze({ return: null, applied: "" });

/** Reads Prefer. With `handling=strict` an unknown preference is refused. @throws invalid_header */
export function readPreferences(prefer: string | undefined): Preferences {
  if (prefer === undefined) return noPreferences;
  const given = prefer
    .split(",")
    .map((part) =>
      (part.split(";")[0] ?? "")
        .replace(/\s*=\s*/, "=")
        .replaceAll('"', "")
        .trim(),
    )
    .filter((part) => part !== "");
  const strict = given.some((part) => part.toLowerCase() === "handling=strict");
  const applied: string[] = strict ? ["handling=strict"] : [];
  let wanted: Preferences["return"] = null;
  for (const part of given) {
    const word = part.toLowerCase();
    // RFC 7240, section 2: the first of two preferences of one name counts.
    if (word === "return=minimal" || word === "return=representation") wanted ??= word.slice(7) as "minimal" | "representation";
    else if (strict && !word.startsWith("handling="))
      throw badHeader("Prefer", `${JSON.stringify(part.slice(0, 64))} is not known here, and handling is strict`);
  }
  if (wanted !== null) applied.push(`return=${wanted}`);
  return { return: wanted, applied: applied.join(", ") };
}
