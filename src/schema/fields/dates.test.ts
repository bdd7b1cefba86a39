/** Days and instants at the ends of what every database holds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dateType } from "./date.ts";
import { datetimeType } from "./datetime.ts";
import { isMisfit } from "./field-type.ts";

test("days lie in the years 0001 to 9999", () => {
  for (const day of ["0001-01-01", "9999-12-31", "2024-02-29"]) assert.equal(dateType.parse(day, {}), day);
  for (const day of ["0000-12-31", "0000-02-29", "2023-02-29", "2026-13-01"]) assert.ok(isMisfit(dateType.parse(day, {})), day);
});

test("instants lie in the years 0001 to 9999, in UTC", () => {
  const accepted = [
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["0000-12-31T23:30:00-01:00", "0001-01-01T00:30:00.000Z"],
  ] as const;
  for (const [given, kept] of accepted) assert.equal(datetimeType.parse(given, {}), kept);
  for (const given of ["0000-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:30:00-01:00"])
    assert.ok(isMisfit(datetimeType.parse(given, {})), given);
});
