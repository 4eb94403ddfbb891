/** What QEMU says, one JSON object per line (QEMU docs, interop/qmp-spec). Nothing of it is trusted before it is parsed. */
export type QmpMessage =
  | { kind: 'greeting' }
  | { kind: 'return'; id: unknown; value: unknown }
  | { kind: 'error'; id: unknown; description: string }
  | { kind: 'event'; name: string; data: Record<string, unknown> };

/** Reads one line; null when it is no QMP. */
export function parseQmpMessage(line: string): QmpMessage | null {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isRecord(message)) return null;
  if (isRecord(message.QMP)) return { kind: 'greeting' };
  if ('return' in message) return { kind: 'return', id: message.id, value: message.return };
  if (isRecord(message.error)) return { kind: 'error', id: message.id, description: printable(message.error.desc) };
  if (typeof message.event === 'string') {
    return { kind: 'event', name: message.event, data: isRecord(message.data) ? message.data : {} };
  }
  return null;
}

/**
 * Words of a hypervisor as they may be stored and shown: one line, no control characters or lone surrogates, at most
 * 200 characters. What is no text is not turned into one: that can throw for an object made to do so.
 */
export function printable(words: unknown): string {
  if (typeof words !== 'string') return 'no words';
  return words
    .slice(0, 200)
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
}

/** Whether a value is an object with fields, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
