/** Shows how far a long job is: a bar where somebody watches, else a line now and then. */

/** Where progress goes; standard error is one. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const barWidth = 30;
const plainEvery = 1_000;

/** A function to call with how much is done, of how much. */
export function createProgress(label: string, screen: Screen): (done: number, all: number) => void {
  let told = 0;
  return (done, all) => {
    if (screen.isTTY) {
      const filled = Math.round((barWidth * done) / all);
      const bar = `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}`;
      screen.write(`\r${label} ${bar} ${done}/${all}${done === all ? "\n" : ""}`);
      return;
    }
    if (done < all && done - told < plainEvery) return;
    told = done;
    screen.write(`${label} ${done}/${all}\n`);
  };
}
