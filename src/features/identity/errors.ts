/** The error table of identity: what a credential may be refused with. */
import { type AppError, defineErrors } from "../../base/errors.ts";

export const identityErrors = {
  invalid_token: {
    status: 401,
    message: "The token is not valid: {fault}.",
    explanation:
      "Send `Authorization: Bearer <token>` with a token that one of the configured keys signed and that has not expired. `holdfast token` mints one.",
  },
  unsupported_credentials: {
    status: 401,
    message: "These credentials are of no kind that is known here.",
    explanation: "Send `Authorization: Bearer <token>`, or no Authorization header at all.",
  },
} as const;

const fail = defineErrors(identityErrors);

/** A token that is refused (RFC 6750, section 3). The fault never tells more than that the token does not fit. */
export function badToken(fault: string, cause?: unknown): AppError {
  const challenge = `Bearer error="invalid_token", error_description="The token is not valid: ${fault}"`;
  return fail("invalid_token", { fields: { fault }, headers: { "WWW-Authenticate": challenge }, cause });
}

/** Credentials of another scheme, or without a token. */
export function badScheme(): AppError {
  return fail("unsupported_credentials", { headers: { "WWW-Authenticate": 'Bearer error="invalid_request"' } });
}
