import { expect } from 'vitest';
import { StartError } from '../../workers/start-error.ts';

/** What a person reads when a start is refused: one line, and none of the `secrets`. */
export async function refusalOf(asked: Promise<unknown>, ...secrets: readonly string[]): Promise<string> {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StartError);
  const { message } = error as StartError;
  expect(message).not.toContain('\n');
  for (const secret of secrets) expect(message).not.toContain(secret);
  return message;
}
