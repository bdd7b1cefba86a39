/** Watches the source files of a folder, without its packages and hidden folders, and tells of changes a few at a time. */
import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { join, relative } from "node:path";

export interface Watching {
  stop(): void;
}

interface WatchOptions {
  readonly folder: string;
  /** Paths from the folder, of files that were written, made or removed. */
  readonly onChange: (files: readonly string[]) => void;
}

const sourceFile = /\.([cm]?[jt]s|json|graphql|sql)$/;
const skipped = /^(\.|node_modules$|dist$|coverage$)/;
// Editors write a file in several steps.
const quietMs = 60;
const foldersMax = 2000;

export function watchSources({ folder, onChange }: WatchOptions): Watching {
  const watchers = new Map<string, FSWatcher>();
  const changed = new Set<string>();
  const state: { timer: NodeJS.Timeout | null } = { timer: null };

  function tell(): void {
    const files = [...changed].map((file) => relative(folder, file)).toSorted();
    changed.clear();
    onChange(files);
  }

  function seen(path: string): void {
    if (isFolder(path)) return add(path);
    if (!sourceFile.test(path)) return;
    changed.add(path);
    if (state.timer !== null) clearTimeout(state.timer);
    state.timer = setTimeout(tell, quietMs);
  }

  function add(at: string): void {
    if (watchers.has(at) || watchers.size >= foldersMax) return;
    const watcher = watch(at, (_kind, name) => {
      if (name !== null && !skipped.test(name)) seen(join(at, name));
    });
    watcher.on("error", () => remove(at));
    watchers.set(at, watcher);
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.isDirectory() && !skipped.test(entry.name)) add(join(at, entry.name));
    }
  }

  function remove(at: string): void {
    watchers.get(at)?.close();
    watchers.delete(at);
  }

  add(folder);
  return {
    stop() {
      if (state.timer !== null) clearTimeout(state.timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
