/** Values that are there at once or later: what waits for nothing makes no promises, which are a good part of what a short read costs. */

export type Soon<T> = T | Promise<T>;

/** Goes on with the value: at once where it is there. */
export function whenReady<T, U>(value: Soon<T>, proceed: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(proceed) : proceed(value);
}

/** Does the work, and mends what it throws or rejects with. */
export function rescue<T>(work: () => Soon<T>, mend: (error: unknown) => Soon<T>): Soon<T> {
  try {
    const value = work();
    return value instanceof Promise ? value.catch(mend) : value;
  } catch (error) {
    return mend(error);
  }
}
