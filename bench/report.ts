/** Turns rounds into ratios, and ratios into lines. */
import type { Load } from "./client.ts";

/** One case's outcome. `ratio` is the median over the rounds. */
export interface Outcome {
  readonly case: string;
  readonly title: string;
  readonly ratio: number;
  /** The worst round. */
  readonly worst: number;
  readonly ours: number;
  readonly baseline: number;
  readonly unit: "requests/s" | "ms" | "MB";
  readonly bar: number;
  /** What the bar is for, and from which side. */
  readonly rule: "ratio at least" | "ratio at most" | "ours at most";
  readonly met: boolean;
  readonly detail: string;
}

export interface Round {
  readonly ours: Load;
  readonly baseline: Load;
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const rounded = (value: number, digits = 2) => Number(value.toFixed(digits));

interface Judged {
  readonly case: string;
  readonly title: string;
  readonly ratio: "share" | "times";
  readonly bar: number;
}

/** Judges a case of load by the median of its rounds' ratios; each round has both sides, so that a slow moment slows both. */
export function judgeLoad(judged: Judged, rounds: readonly Round[], statements: number | null): Outcome {
  const isShare = judged.ratio === "share";
  const ratios = rounds.map(({ ours, baseline }) =>
    isShare ? ours.perSecond / baseline.perSecond : baseline.perSecond / ours.perSecond,
  );
  const ratio = rounded(median(ratios));
  const worst = rounded(isShare ? Math.min(...ratios) : Math.max(...ratios));
  const of = (side: "ours" | "baseline", name: "perSecond" | "p50Ms" | "p99Ms" | "clientShare") =>
    median(rounds.map((round) => round[side][name]));
  const latency = (side: "ours" | "baseline") => `${rounded(of(side, "p50Ms"))}/${rounded(of(side, "p99Ms"))}`;
  const client = (side: "ours" | "baseline") => `${rounded(of(side, "clientShare"))}`;
  const more =
    statements === null
      ? `the load generator took ${client("ours")} of a core against ${client("baseline")}`
      : `${statements} ${statements === 1 ? "statement" : "statements"} a request`;
  return {
    case: judged.case,
    title: judged.title,
    ratio,
    worst,
    unit: "requests/s",
    bar: judged.bar,
    ours: rounded(of("ours", "perSecond"), 0),
    baseline: rounded(of("baseline", "perSecond"), 0),
    rule: isShare ? "ratio at least" : "ratio at most",
    met: isShare ? ratio >= judged.bar : ratio <= judged.bar,
    detail: `p50/p99 ms ${latency("ours")} against ${latency("baseline")}; ${more}`,
  };
}

interface Sizes {
  readonly case: string;
  readonly title: string;
  readonly unit: "ms" | "MB";
  readonly bar: number;
  readonly ours: readonly number[];
  readonly baseline: readonly number[];
}

/** Judges what has a bar of its own, whatever the baseline takes. */
export function judgeSize(sizes: Sizes): Outcome {
  const ours = rounded(median(sizes.ours), 0);
  const baseline = rounded(median(sizes.baseline), 0);
  const ratios = sizes.ours.map((value, index) => value / (sizes.baseline[index] as number));
  return {
    case: sizes.case,
    title: sizes.title,
    unit: sizes.unit,
    bar: sizes.bar,
    ours,
    baseline,
    ratio: rounded(median(ratios)),
    worst: rounded(Math.max(...ratios)),
    rule: "ours at most",
    met: ours <= sizes.bar,
    detail: `${Math.min(...sizes.ours).toFixed(0)} to ${Math.max(...sizes.ours).toFixed(0)} over the rounds`,
  };
}

export function renderJson(outcome: Outcome): string {
  const { case: name, ratio, ours, baseline, unit, bar, rule, met, worst, detail } = outcome;
  return JSON.stringify({ case: name, ratio, ours, baseline, unit, bar, rule, met, worst, detail });
}

export function renderText(outcome: Outcome): string {
  const { case: name, title, ratio, worst, ours, baseline, unit, bar, rule, met, detail } = outcome;
  const sign = met ? "✔" : "✖";
  const head = `${sign} ${name.padEnd(10)} ${ratio.toFixed(2)} × baseline (worst round ${worst.toFixed(2)}), bar: ${rule} ${bar}${rule === "ours at most" ? ` ${unit}` : ""}`;
  return `${head}\n    ${title}\n    ${ours} ${unit} against ${baseline}; ${detail}`;
}
