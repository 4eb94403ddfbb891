import { describe, expect, it } from 'vitest';
import { sourceOf } from '../../mutation/change.ts';
import { PLANTED } from './bugs.ts';

describe('what a planted bug changes', () => {
  it.each(PLANTED)('is there once: $name', ({ edits }) => {
    for (const { file, find, replace } of edits) {
      expect(sourceOf(file).split(find), `${file}: ${find}`).toHaveLength(2);
      expect(replace).not.toBe(find);
    }
  });
});
