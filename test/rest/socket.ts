/** Raw HTTP on a socket, for requests that no client library would send. */
import { connect, type Socket } from "node:net";

/** Sends text and gives all that comes back until the server closes, or until `until` has been received. */
export function exchange(port: number, text: string | Buffer, until: RegExp | null = null): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
    let received = "";
    const timer = setTimeout(() => finish(), timeoutMs);
    function finish(): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    }
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (until?.test(received)) finish();
    });
    socket.on("end", finish);
    socket.on("close", finish);
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? finish() : reject(error),
    );
  });
}

const timeoutMs = 5_000;

/** A request with the given lines, closed after its answer. */
export function lines(...parts: string[]): string {
  return `${parts.join("\r\n")}\r\nConnection: close\r\n\r\n`;
}
