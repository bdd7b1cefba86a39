/** What to do about a database that cannot be opened, for whoever runs a command: the table's own words are for callers of an app that serves. */

/** By code; the others are told as they stand in the table. */
export const mends: Readonly<Record<string, string>> = Object.freeze({
  database_refused:
    "Mend the user, the password or the database's name where the URL stands (--database, HOLDFAST_DATABASE_URL or DATABASE_URL). A database on a server must be there, if empty: make it with CREATE DATABASE.",
  database_unreachable:
    "Start the database's server, or mend host and port where the URL stands: --database, HOLDFAST_DATABASE_URL or DATABASE_URL.",
  database_denied: "Grant the URL's user this right. The guide's page on databases lists what each database asks for.",
  database_failed: "Mend what it says, or name another database: --database, HOLDFAST_DATABASE_URL or DATABASE_URL.",
});
