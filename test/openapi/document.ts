/** The document of an engine as the app would serve it, and the check of answers against it: for any test that starts an app. */
import { databaseErrors } from "../../src/drivers/database.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { engineErrors } from "../../src/engine/errors.ts";
import { identityErrors } from "../../src/features/identity/errors.ts";
import { wireErrors } from "../../src/protocols/errors.ts";
import { openapiDocument } from "../../src/protocols/openapi/document.ts";
import { type Conformance, createConformance } from "./answers.ts";

export const errorTables = [wireErrors, identityErrors, engineErrors, databaseErrors];

export function documentOf(engine: Engine) {
  return openapiDocument(engine, { title: "Test", version: "1.0.0", mount: "/api", errors: errorTables });
}

/** Holds every exchange with an app against the document of its engine. */
export function conformanceOf(engine: Engine): Conformance {
  return createConformance(documentOf(engine));
}
