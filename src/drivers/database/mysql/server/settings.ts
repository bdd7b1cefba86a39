/** The settings of a session, under which statements mean the same whatever the server's own settings are. */
import type { MysqlSettings } from "../options.ts";
import type { Variant } from "../variants/variant.ts";

export type Purpose = "read" | "write";

const modes = [
  "ANSI_QUOTES",
  "PIPES_AS_CONCAT",
  "STRICT_ALL_TABLES",
  "NO_ZERO_DATE",
  "NO_ZERO_IN_DATE",
  "ERROR_FOR_DIVISION_BY_ZERO",
  "NO_ENGINE_SUBSTITUTION",
];

/** Sorting takes so many bytes of a text into account; the buffer holds the fifteen keys of that length that MariaDB asks for. */
const common: readonly string[] = [
  "time_zone = '+00:00'",
  "group_concat_max_len = 1073741824",
  "max_sort_length = 65536",
  "sort_buffer_size = 4194304",
];

/** What a connection begins with. */
export function openingOf({ collation, sessions }: Variant, purpose: Purpose, settings: MysqlSettings): readonly string[] {
  const lockSeconds = Math.ceil(settings.lockTimeoutMs / 1000);
  const own =
    purpose === "read"
      ? ["autocommit = 1", sessions.limit(settings.readTimeoutMs)]
      : [
          "autocommit = 0",
          sessions.limit(settings.writeTimeoutMs),
          `innodb_lock_wait_timeout = ${lockSeconds}`,
          `lock_wait_timeout = ${lockSeconds}`,
        ];
  const mode = `sql_mode = '${[...modes, ...sessions.modes].join(",")}'`;
  return [
    `set names utf8mb4 collate ${collation}`,
    `set ${[mode, ...common, ...sessions.settings, ...own].join(", ")}`,
    purpose === "read"
      ? "set session transaction isolation level repeatable read, read only"
      : "set session transaction isolation level serializable, read write",
  ];
}
