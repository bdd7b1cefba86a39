/** What is known of the server, from the attempts to open a connection: told where it changes, and asked before anybody waits. */
import type { DatabaseState } from "../../../database.ts";
import type { PostgresTrouble } from "../options.ts";

/** As the server was last found. */
export interface Found {
  state: Exclude<DatabaseState, "closed">;
  /** It did not even refuse: who asked it would wait for nothing. */
  isSilent: boolean;
  closed: boolean;
  /** An attempt begins: what it finds is taken down, and told where it is something else than before. */
  readonly begin: () => Finding;
}

export interface Finding {
  readonly answered: (state: "ready" | "read-only", why: string) => void;
  /** Of no weight where another attempt, which may have begun later, has been answered meanwhile. */
  readonly failed: (why: string, isSilent: boolean) => void;
}

export interface FoundEvents {
  readonly onTrouble: (trouble: PostgresTrouble) => void;
  /** It has fallen silent. */
  readonly onSilent: () => void;
}

export function createFound({ onTrouble, onSilent }: FoundEvents): Found {
  let answers = 0;

  function note(state: Found["state"], why: string, isSilent: boolean): void {
    const before = { ...found };
    found.state = state;
    found.isSilent = isSilent;
    if (isSilent && !before.isSilent) onSilent();
    if (before.state === state || found.closed) return;
    if (state === "ready") onTrouble({ kind: "database_found", message: "The database can be worked with again." });
    else onTrouble({ kind: state === "unreachable" ? "database_lost" : "database_read_only", message: why });
  }

  const found: Found = {
    state: "ready",
    isSilent: false,
    closed: false,
    begin() {
      const begun = answers;
      return {
        answered(state, why) {
          answers++;
          note(state, why, false);
        },
        failed(why, isSilent) {
          if (answers === begun) note("unreachable", why, isSilent);
        },
      };
    },
  };
  return found;
}
