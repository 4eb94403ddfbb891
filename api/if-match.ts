import { AppError } from '../domain/app-error.ts';

/** A revision as an `ETag` says it. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/**
 * Whoever names in `If-Match` the revision that he has read changes that one alone. Without the header the last one to write wins.
 * `revision` null = there is no such thing yet.
 * @throws AppError `conflict` when it is another one by now
 */
export function requireMatch(ifMatch: string | null, revision: number | null): void {
  if (ifMatch === null) return;
  const named = new Set(ifMatch.split(',').map((tag) => tag.trim()));
  if (revision !== null && (named.has('*') || named.has(etagOf(revision)))) return;
  const now = revision === null ? 'it is not there' : `its revision is now ${etagOf(revision)}`;
  throw new AppError(
    'conflict',
    `Somebody else changed this since you read it: If-Match names ${ifMatch.slice(0, 100)}, and ${now}.`,
  );
}
