/** The address that a listener is announced by. */

/** An address that means all of them is none that a client could ask for. */
export function urlOf(host: string, port: number): string {
  const name = host === "0.0.0.0" || host === "::" || host === "127.0.0.1" ? "localhost" : host;
  return `http://${name}:${port}`;
}
