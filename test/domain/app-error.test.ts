import { expect, it } from 'vitest';
import { AppError } from '../../domain/app-error.ts';

it('a refusal keeps what is wrong with each field, when to try again, and what was behind it', () => {
  const cause = new Error('the pool is empty');
  const problems = [{ path: 'checks.0.target', message: 'must be a port' }];
  const refusal = new AppError('unavailable', 'Try again in a moment.', { cause, problems, retryAfterSeconds: 5 });
  expect(refusal).toMatchObject({ name: 'AppError', code: 'unavailable', message: 'Try again in a moment.' });
  expect(refusal).toMatchObject({ cause, problems, retryAfterSeconds: 5 });
});

it('a refusal that says no more has no problems and no time to wait for', () => {
  expect(new AppError('not-found', 'There is no such VM.')).toMatchObject({ problems: [], retryAfterSeconds: null });
});
