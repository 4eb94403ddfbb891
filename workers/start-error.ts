/** Something a person can put right: its message is one line that says what to do, so it is shown without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * The first line of whatever was thrown, for lines that explain a miss. A name that stands for several addresses fails with
 * an error for each and no message of its own: the first speaks for them.
 */
export function firstLineOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return firstLineOf(thrown.errors[0]);
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.trim().split('\n', 1)[0] ?? '';
}
