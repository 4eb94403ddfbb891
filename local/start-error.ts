/** Something a person can put right: its message is one line that says what to do, so it is shown without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The first line of whatever was thrown, for log lines that explain a miss. */
export function firstLineOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.trim().split('\n', 1)[0] ?? '';
}
