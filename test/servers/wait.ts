/** Waits for what nobody announces: asks again until it is so, and gives up with a reason. */
import { setTimeout as pause } from "node:timers/promises";

const everyMs = 10;
const giveUpAfterMs = 30_000;

/** Resolves once `isSo`. @throws `otherwise` when it has not become so within half a minute */
export async function waitUntil(isSo: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  const giveUpMs = performance.now() + giveUpAfterMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpMs) throw new Error(otherwise);
    await pause(everyMs);
  }
}
