/** What a field holds: as stored by a database, and as written on the wire. */

/** As a database binds and returns it. */
export type Value = null | string | number | bigint | Uint8Array;

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
