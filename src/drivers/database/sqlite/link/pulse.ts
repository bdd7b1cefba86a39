/** Asks another process now and then whether it is still there. */

export interface Pulse {
  /** It has said something. */
  heard(): void;
  stop(): void;
}

export interface PulseOptions {
  /** How long it may say nothing while it is asked. */
  readonly silenceMs: number;
  /** Whether it has to say anything at the moment. */
  readonly isDue: () => boolean;
  readonly ask: () => void;
  /** It has said nothing for so long. Called once. */
  readonly onSilence: () => void;
}

/** Silence is so many questions without an answer, not so much time: who asks may have been stopped itself, while the answers lay there. */
const questionsMax = 4;

/** Keeps no process alive. */
export function startPulse({ silenceMs, isDue, ask, onSilence }: PulseOptions): Pulse {
  let unanswered = 0;
  const timer = setInterval(() => {
    if (!isDue()) unanswered = 0;
    else if (unanswered++ < questionsMax) ask();
    else {
      clearInterval(timer);
      onSilence();
    }
  }, silenceMs / questionsMax).unref();
  return {
    heard() {
      unanswered = 0;
    },
    stop: () => clearInterval(timer),
  };
}
