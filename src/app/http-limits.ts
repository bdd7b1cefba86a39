/** The limits of HTTP: each has a name, a default, and a clear error when it is exceeded. */

export interface HttpLimitsOptions {
  /** Bytes of a body; more is 413. @default 1048576 */
  readonly bodyBytesMax?: number;
  /** Bytes of a URL; more is 414. @default 16384 */
  readonly urlBytesMax?: number;
  /** Bytes of all headers together; more is 431. @default 16384 */
  readonly headerBytesMax?: number;
  /** Header lines; more is 431. @default 100 */
  readonly headersMax?: number;
  /** Headers must have arrived by then, otherwise 408. @default 10000 */
  readonly headersTimeoutMs?: number;
  /** The whole request must have arrived by then, otherwise 408. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** An idle connection is closed after this. @default 65000 */
  readonly keepAliveTimeoutMs?: number;
  /** Open connections; further ones are closed at once. @default 10000 */
  readonly connectionsMax?: number;
  /** Requests in flight may take this long to finish when the server stops. @default 8000 */
  readonly stopTimeoutMs?: number;
}

export type HttpLimits = Readonly<Required<HttpLimitsOptions>>;

/** Default, least and greatest value of each. */
export const httpLimitBounds: { readonly [K in keyof HttpLimits]: readonly [fallback: number, min: number, max: number] } = {
  bodyBytesMax: [1_048_576, 1, 1_073_741_824],
  urlBytesMax: [16_384, 256, 65_536],
  headerBytesMax: [16_384, 1_024, 65_536],
  headersMax: [100, 10, 1_000],
  headersTimeoutMs: [10_000, 1, 600_000],
  requestTimeoutMs: [30_000, 1, 3_600_000],
  keepAliveTimeoutMs: [65_000, 0, 3_600_000],
  connectionsMax: [10_000, 1, 1_000_000],
  stopTimeoutMs: [8_000, 0, 600_000],
};
