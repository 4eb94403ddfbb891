import type { Change } from './change.ts';

/** A change, and whether any test noticed it. */
export interface Result {
  change: Change;
  noticed: boolean;
}
