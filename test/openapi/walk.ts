/** Walks an OpenAPI document for the tests: its operations, references and examples. */
import type { Json } from "../../src/schema/value.ts";

export type Node = { readonly [name: string]: Json };

const methods = new Set(["get", "post", "put", "patch", "delete"]);

export function collectOperations(document: Node): { readonly path: string; readonly method: string; readonly node: Node }[] {
  return Object.entries(document["paths"] as Readonly<Record<string, Node>>).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => methods.has(method))
      .map(([method, node]) => ({ path, method, node: node as Node })),
  );
}

/** References that lead nowhere, and components that nothing refers to. */
export function findDeadReferences(document: Node): string[] {
  const used = new Set<string>();
  visit(document, "", (node) => {
    if (typeof node["$ref"] === "string") used.add(node["$ref"]);
  });
  const components = document["components"] as Readonly<Record<string, Node>>;
  const kinds = Object.entries(components).filter(([kind]) => kind !== "securitySchemes");
  const there = new Set(kinds.flatMap(([kind, nodes]) => Object.keys(nodes).map((name) => `#/components/${kind}/${name}`)));
  return [...used.symmetricDifference(there)];
}

/** Every example with the schema that it is one of. A schema's own examples, those of parameters and those of bodies. */
export function collectExamples(document: Node): { readonly place: string; readonly schema: Node; readonly value: Json }[] {
  const found: { place: string; schema: Node; value: Json }[] = [];
  visit(document, "", collect);
  return found;

  function collect(node: Node, place: string): void {
    const { examples, example, schema } = node;
    // A schema cut out of its document takes the components along, which references lead to.
    const withComponents = (of: Json): Node => ({ ...(of as Node), components: document["components"] as Node });
    if (Array.isArray(examples))
      for (const value of examples) found.push({ place, schema: withComponents(node), value: value as Json });
    if (schema === undefined) return;
    if (example !== undefined) found.push({ place, schema: withComponents(schema), value: example });
    for (const named of Object.values((examples ?? {}) as Readonly<Record<string, { value: Json }>>))
      found.push({ place, schema: withComponents(schema), value: named.value });
  }
}

function visit(node: Json, place: string, see: (node: Node, place: string) => void): void {
  if (typeof node !== "object" || node === null) return;
  if (!Array.isArray(node)) see(node as Node, place);
  for (const [name, inner] of Object.entries(node)) {
    // What stands in an example is data.
    if (name !== "examples" && name !== "example") visit(inner as Json, `${place}/${name}`, see);
  }
}
