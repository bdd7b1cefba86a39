/** The SQL functions that compiled statements call, in the database itself: it has no place of its own for them. */
import { createHash } from "node:crypto";
import { foldText } from "../../../../base/fold.ts";
import { literal } from "../text.ts";
import type { Variant } from "../variants/variant.ts";

/** With this every name begins that the product gives to what is no table. */
export const ownPrefix = "holdfast_";

export type FunctionName = "fail" | "finds" | "fold" | "lower" | "quote" | "real" | "upper";

/** The function as statements call it. */
export function functionName(name: FunctionName): string {
  return `${ownPrefix}${name}`;
}

/** Asks for the version of the functions that are there; no row where there are none. */
export const versionText = `select routine_comment from information_schema.routines where routine_schema = database() and routine_name = '${functionName("fail")}'`;

export interface Functions {
  /** What `versionText` answers where these are there. */
  readonly version: string;
  readonly statements: readonly string[];
}

/** What the bodies are made with. */
interface Words extends Pick<Variant, "routines"> {
  readonly longtext: string;
  /** Behind the type of a text. */
  readonly text: string;
}

interface Definition {
  readonly takes: string;
  readonly returns: string;
  readonly body: string;
}

/**
 * - `quote(text)`: the text as JSON, escaped as ECMAScript does it.
 * - `real(double)`: the text that ECMAScript writes (ECMA-262, Number::toString).
 * - `lower(text)` and `upper(text)`: of the letters A to Z alone.
 * - `fold(text)`: for comparing without case or accents: NFKD, marks removed, lower-case (as base/fold.ts).
 * - `finds(text, words)`: whether the folded text has every word of a JSON list.
 * - `fail(reason)`: ends the statement with an error.
 */
export function createFunctions({ collation, routines }: Variant): Functions {
  const text = `character set utf8mb4 collate ${collation}`;
  const longtext = `longtext ${text}`;
  const words: Words = { routines, text, longtext };
  const definitions: Readonly<Record<Exclude<FunctionName, "fail">, Definition>> = {
    quote: { takes: `value ${longtext}`, returns: longtext, body: quoteBody(words) },
    real: { takes: "value double", returns: `varchar(40) ${text}`, body: realBody(words) },
    lower: { takes: `value ${longtext}`, returns: longtext, body: letterBody("lower") },
    upper: { takes: `value ${longtext}`, returns: longtext, body: letterBody("upper") },
    fold: { takes: `value ${longtext}`, returns: longtext, body: foldBody(words) },
    finds: { takes: `value ${longtext}, words ${longtext}`, returns: "boolean", body: findsBody(words) },
  };
  const define = (name: FunctionName, one: Definition, comment = "") =>
    routines.replace(functionName(name), definition(name, one, comment));
  const texts = Object.entries(definitions).flatMap(([name, one]) => define(name as FunctionName, one));
  const fail: Definition = {
    takes: `reason ${longtext}`,
    returns: "bigint",
    body: "begin signal sqlstate '45000' set message_text = reason; return null; end",
  };
  const hash = createHash("sha256");
  for (const made of [...texts, ...define("fail", fail)]) hash.update(made);
  const version = hash.digest("hex").slice(0, 16);
  // The one that carries the version comes last: then all of them are there.
  return { version, statements: [...texts, ...define("fail", fail, ` comment '${version}'`)] };
}

// One that only fails must not be taken for a constant, which would be asked for before there is a row.
function definition(name: FunctionName, { takes, returns, body }: Definition, comment: string): string {
  return `(${takes}) returns ${returns} ${name === "fail" ? "not " : ""}deterministic no sql sql security invoker${comment}\n${body}`;
}

/** What JSON.stringify escapes, one replacement around the other; the backslash first. */
function quoteBody({ longtext }: Words): string {
  const controls = Array.from({ length: 0x1f }, (_, index) => String.fromCharCode(index + 1));
  const escaped = ["\\", '"', ...controls].reduce(
    (inner, character) =>
      `replace(${inner}, _utf8mb4 x'${Buffer.from(character).toString("hex")}', ${literal(JSON.stringify(character).slice(1, -1))})`,
    "value",
  );
  return `begin
  declare quoted ${longtext} default json_quote(value);
  if value is null or locate('\\u00', quoted) = 0 then return quoted; end if;
  return '"' || ${escaped} || '"';
end`;
}

const realBody = ({ routines }: Words) => `begin
  declare sign varchar(1) default if(value < 0, '-', '');
  declare digits, written varchar(400);
  declare point, many int;
  if value is null then return null; end if;
  if value = 0 then return '0'; end if;
  set written = ${routines.digits("abs(value)")};
  if locate('e', written) = 0 and abs(value) >= 1e-6 then return sign || written; end if;
  if locate('e', written) > 0 then
    set digits = substring_index(written, 'e', 1);
    set point = char_length(substring_index(digits, '.', 1)) + cast(substring_index(written, 'e', -1) as signed);
    set digits = trim(trailing '0' from replace(digits, '.', ''));
  else
    set digits = trim(leading '0' from substring(written, 3));
    set point = char_length(digits) - char_length(written) + 2;
  end if;
  set many = char_length(digits);
  if point between many and 21 then return sign || digits || repeat('0', point - many); end if;
  if point between 1 and 21 then return sign || left(digits, point) || '.' || substring(digits, point + 1); end if;
  if point between -5 and 0 then return sign || '0.' || repeat('0', -point) || digits; end if;
  return sign || left(digits, 1) || if(many > 1, '.' || substring(digits, 2), '') || if(point < 1, 'e-', 'e+') || abs(point - 1);
end`;

const letters = "abcdefghijklmnopqrstuvwxyz".split("");

function letterBody(name: "lower" | "upper"): string {
  const replaced = letters.reduce((inner, small) => {
    const [from, to] = name === "lower" ? [small.toUpperCase(), small] : [small, small.toUpperCase()];
    return `replace(${inner}, '${from}', '${to}')`;
  }, "value");
  return `begin
  if length(value) = char_length(value) then return ${name}(value); end if;
  return ${replaced};
end`;
}

const hangulFirst = 0xac00;
const hangulLast = 0xd7a3;
const codePointMax = 0x10ffff;

/** Every character that folding changes, as ranges of a character class, and what becomes of those that do not just vanish. */
function foldings(): { readonly changed: string; readonly map: string } {
  const ranges: string[] = [];
  const map: string[] = [""];
  let first = -1;
  for (let code = 0x80; code <= codePointMax + 1; code++) {
    const isCharacter = code <= codePointMax && !(code >= 0xd800 && code <= 0xdfff);
    const character = isCharacter ? String.fromCodePoint(code) : "";
    const folded = foldText(character);
    const isChanged = folded !== character;
    if (isChanged && folded !== "" && !(code >= hangulFirst && code <= hangulLast)) map.push(character + folded);
    if (isChanged && first < 0) first = code;
    if (isChanged || first < 0) continue;
    ranges.push(first === code - 1 ? codeText(first) : `${codeText(first)}-${codeText(code - 1)}`);
    first = -1;
  }
  return { changed: ranges.join(""), map: [...map, ""].join("\n") };
}

function codeText(code: number): string {
  return `\\x{${code.toString(16)}}`;
}

// Syllables of Hangul are taken apart by arithmetic (Unicode, 3.12); a sigma that ends a word has a small letter of its own.
function foldBody({ routines, longtext, text }: Words): string {
  const { changed, map } = foldings();
  const { prepare, place, mark } = routines.find(changed);
  const margin = mark.length;
  const unmarked = mark === "" ? "" : `\n        if one = '${mark}' then set folded = folded || one; end if;`;
  const jamo = (code: string) => `convert(convert(unhex(lpad(hex(${code}), 8, '0')) using utf32) using utf8mb4)`;
  return `begin
  if value is null or length(value) = char_length(value) then return lower(value); end if;
  begin
    declare map ${longtext} default ${literal(map)};
    declare rest ${longtext} default if(locate('Σ', value) = 0, value, regexp_replace(value, '(?<=\\p{L})(\\p{M}*)Σ(?!\\p{M}*\\p{L})', '${routines.group}ς'));
    declare folded ${longtext} default '';
    declare one varchar(1) ${text};
    declare place, syllable int;
    ${prepare}
    loop
      set place = ${place};
      if coalesce(place, 0) = 0 then return folded || ${functionName("lower")}(rest); end if;
      set folded = folded || ${functionName("lower")}(left(rest, place - 1)), one = substring(rest, place + ${margin}, 1), rest = substring(rest, place + 1 + 2 * ${margin});
      if one between '${String.fromCodePoint(hangulFirst)}' and '${String.fromCodePoint(hangulLast)}' then
        set syllable = conv(hex(convert(one using utf32)), 16, 10) - ${hangulFirst};
        set folded = folded || ${jamo("4352 + syllable div 588")} || ${jamo("4449 + syllable mod 588 div 28")};
        if syllable mod 28 > 0 then set folded = folded || ${jamo("4519 + syllable mod 28")}; end if;
      else
        set place = locate('\n' || one, map);
        if place > 0 then set folded = folded || substring_index(substring(map, place + 2, 64), '\n', 1); end if;${unmarked}
      end if;
    end loop;
  end;
end`;
}

function findsBody({ routines, longtext }: Words): string {
  return `begin
  declare folded ${longtext} default ${functionName("fold")}(value);
  declare at int default 0;
  if value is null then return false; end if;
  while at < json_length(words) do
    if locate(${routines.element("words", "at")}, folded) = 0 then return false; end if;
    set at = at + 1;
  end while;
  return true;
end`;
}
