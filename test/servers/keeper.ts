/** Sees to it that a server does not outlive the process that started it, however that ends; nothing of it holds that process up. */
import { spawn } from "node:child_process";
import type { Socket } from "node:net";

export interface Keeper {
  /** The process to end from now on; null when it has ended. */
  watch(pid: number | null): void;
  /** Nothing is left to do. */
  dismiss(): void;
}

/**
 * Reads process ids until the one who writes them is gone, which closes the pipe; then ends the last one, in order
 * if it does that within five seconds, and removes the folder.
 */
const script = `
pid=
while read -r line; do
  [ "$line" = done ] && exit 0
  pid=$line
done
if [ -n "$pid" ]; then
  kill -CONT "$pid"; kill -QUIT "$pid"
  tries=0
  while kill -0 "$pid" && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL "$pid"
fi
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
`;

/** Starts a keeper of one server and its folder: a shell in a session of its own, which no Ctrl-C reaches. */
export function startKeeper(folder: string): Keeper {
  const child = spawn("sh", ["-c", script, "keeper", folder], { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.unref();
  const { stdin } = child;
  (stdin as unknown as Socket).unref();
  // Whoever ended the keeper has taken its work over.
  stdin.on("error", () => stdin.destroy());
  child.on("error", () => stdin.destroy());
  return {
    watch: (pid) => void stdin.write(`${pid ?? ""}\n`),
    dismiss: () => void stdin.end("done\n"),
  };
}
