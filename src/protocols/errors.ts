/** The error table of the wire: what is refused before a call reaches the engine, whatever the protocol. */
import { type AppError, defineErrors } from "../base/errors.ts";

export const wireErrors = {
  malformed_request: {
    status: 400,
    message: "The request is not well-formed HTTP: {fault}.",
    explanation: "Mend the request line, the path or the headers. Nothing was done.",
  },
  invalid_parameter: {
    status: 400,
    message: "The query string does not fit.",
    explanation:
      "`errors` names each parameter that is unknown, repeated or of the wrong form. Unknown parameters are refused, never ignored.",
  },
  invalid_header: {
    status: 400,
    message: "The header {header} does not fit: {fault}.",
    explanation: "Send it as docs/reference/rest.md says, or leave it out.",
  },
  invalid_json: {
    status: 400,
    message: "The body is not acceptable JSON.",
    explanation:
      "`errors` says where and why: besides broken syntax, duplicate keys, `__proto__`, lone surrogates, numbers that a double cannot hold and too deep nesting are refused.",
  },
  unexpected_body: {
    status: 400,
    message: "{method} takes no body.",
    explanation: "Put conditions into the query string, or use POST /{model}/query for long ones.",
  },
  empty_body: {
    status: 400,
    message: "The body is empty.",
    explanation: "Send a JSON body with Content-Type: application/json.",
  },
  route_not_found: {
    status: 404,
    message: "There is no such resource.",
    explanation: "No route matches the path. /openapi.json lists them all.",
  },
  method_not_allowed: {
    status: 405,
    message: "{method} is not allowed here.",
    explanation: "The Allow header lists the methods of this resource.",
  },
  not_acceptable: {
    status: 406,
    message: "The answer has none of the formats that Accept asks for.",
    explanation: "Accept application/json.",
  },
  request_timeout: {
    status: 408,
    message: "The request took too long to arrive.",
    explanation: "Headers must arrive within headersTimeoutMs and the whole request within requestTimeoutMs.",
  },
  payload_too_large: {
    status: 413,
    message: "The body has more than {max} bytes.",
    explanation: "Send less at a time; bodyBytesMax is the limit.",
  },
  uri_too_long: {
    status: 414,
    message: "The URL has more than {max} bytes.",
    explanation: "Use POST /{model}/query, which takes the query as a JSON body; urlBytesMax is the limit.",
  },
  unsupported_media_type: {
    status: 415,
    message: "The body's type or encoding is not supported.",
    explanation: "Send application/json in UTF-8, without Content-Encoding; PATCH also takes application/merge-patch+json.",
  },
  headers_too_large: {
    status: 431,
    message: "The headers are too many or too large.",
    explanation: "headersMax and headerBytesMax are the limits.",
  },
  internal: {
    status: 500,
    message: "Something went wrong on our side.",
    explanation: "The log has the cause under this requestId.",
  },
} as const;

const make = defineErrors(wireErrors);
export const failWire: typeof make = make;

/** A query parameter that does not fit. */
export function badParameter(pointer: string, code: string, message: string): AppError {
  return failWire("invalid_parameter", { errors: [{ pointer, code, message }] });
}

/** A header that does not fit. */
export function badHeader(header: string, fault: string): AppError {
  return failWire("invalid_header", { fields: { header, fault } });
}
