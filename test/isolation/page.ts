/** Reads the table of the reference's page on isolation. */

/** By anomaly, as in `G0 dirty write`: what stands in each column, by its head. */
export type Table = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function readTable(markdown: string): Table {
  const [head = [], ...rows] = markdown
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return new Map(
    rows.map(([code = "", title = "", ...cells]) => [
      `${code.replaceAll("`", "")} ${title}`,
      new Map(cells.map((cell, index) => [head[index + 2] ?? "", cell])),
    ]),
  );
}
