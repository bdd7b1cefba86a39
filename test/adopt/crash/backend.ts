/** What is written while the process is killed: a table that somebody else has made. */
import { backend, integer, model, text } from "holdfast";

export const notes = model("notes", {
  id: integer().column("id", "INTEGER"),
  body: text().column("body", "TEXT"),
})
  .table("note")
  .adopted()
  .key("id");

export const adoptedBackend = backend({ notes });

export const tables = "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL)";
