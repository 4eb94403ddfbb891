/** An error as the log may hold it. Drivers put statements' values into messages and stacks: those are left out. */
export function toLoggedError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error ? { code: String(error.code) } : {};
  if ('query' in error && 'params' in error) {
    return { type: error.name, query: String(error.query), cause: toLoggedError(error.cause) };
  }
  const cause = error.cause === undefined ? {} : { cause: toLoggedError(error.cause) };
  return { type: error.name, message: error.message, stack: error.stack, ...code, ...cause };
}
