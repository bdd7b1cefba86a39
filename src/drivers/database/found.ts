/** What is known of a server, from the attempts to open a connection: told where it changes, and asked before anybody waits. */
import { setTimeout as pause } from "node:timers/promises";
import { AppError, reasonOf } from "../../base/errors.ts";
import { failDatabase } from "../database.ts";
import type { ServerTrouble } from "./settings.ts";

export type FoundState = "ready" | "read-only" | "unreachable";

/** What an attempt has found. */
export interface Finding {
  readonly answered: (state: "ready" | "read-only", why: string) => void;
  /** Of no weight where another attempt, which may have begun later, has been answered meanwhile. */
  readonly failed: (why: string, isSilent: boolean) => void;
}

export interface Found {
  readonly begin: () => Finding;
  /** As it was last found; where that was not ready, another attempt begins: nobody would send a request to find out. */
  readonly state: () => FoundState;
  /** Looks whether the server is there, one attempt at a time. */
  readonly probe: () => void;
  /** Why nothing need be asked now, where the server does not say a word, not even no; then another attempt begins. */
  readonly refusal: () => Error | null;
  /** Nothing is told, and nothing looked for, from now on. */
  readonly close: () => void;
}

export interface FoundSpec {
  /** Opens a connection and closes it; what it finds it takes down. */
  readonly attempt: () => Promise<void>;
  readonly onTrouble: (trouble: ServerTrouble) => void;
  /** It has fallen silent. */
  readonly onSilent: () => void;
}

export function createFound({ attempt, onTrouble, onSilent }: FoundSpec): Found {
  const now = { state: "ready" as FoundState, isSilent: false, answers: 0, isProbing: false, isClosed: false };

  function note(state: FoundState, why: string, isSilent: boolean): void {
    const before = { ...now };
    now.state = state;
    now.isSilent = isSilent;
    if (isSilent && !before.isSilent) onSilent();
    if (before.state === state || now.isClosed) return;
    if (state === "ready") onTrouble({ kind: "database_found", message: "The database can be worked with again." });
    else onTrouble({ kind: state === "unreachable" ? "database_lost" : "database_read_only", message: why });
  }

  function probe(): void {
    if (now.isProbing || now.isClosed) return;
    now.isProbing = true;
    void attempt()
      .catch(ignoreFailure)
      .finally(() => {
        now.isProbing = false;
      });
  }

  return Object.freeze({
    begin() {
      const begun = now.answers;
      return {
        answered(state: "ready" | "read-only", why: string) {
          now.answers++;
          note(state, why, false);
        },
        failed(why: string, isSilent: boolean) {
          if (now.answers === begun) note("unreachable", why, isSilent);
        },
      };
    },
    state() {
      if (now.state !== "ready") probe();
      return now.state;
    },
    probe,
    refusal() {
      if (!now.isSilent) return null;
      probe();
      return failDatabase("database_unreachable", { headers: { "Retry-After": "1" } });
    },
    close() {
      now.isClosed = true;
    },
  });
}

// What an attempt has found is in the state.
function ignoreFailure(): void {}

export interface Awaiting {
  /** How long, from the first attempt on. */
  readonly startTimeoutMs: number;
  readonly onTrouble: (trouble: ServerTrouble) => void;
}

const pauseMs = 250;

/** Looks until the server is there, within the time; what a server says that is there is told at once. @throws what looking failed with last */
export async function awaitServer<T>(look: () => Promise<T>, { startTimeoutMs, onTrouble }: Awaiting): Promise<T> {
  const giveUpMs = performance.now() + startTimeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await look();
    } catch (error) {
      const isAbsent = error instanceof AppError && (error.code === "database_unreachable" || error.code === "database_busy");
      if (!isAbsent || performance.now() >= giveUpMs) throw error;
      if (attempt === 1) onTrouble({ kind: "database_awaited", message: reasonOf(error) });
      await pause(pauseMs);
    }
  }
}
