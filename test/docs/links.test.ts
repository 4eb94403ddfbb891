import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const tracked = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n');
const pages = tracked.filter((path) => path.endsWith('.md'));

describe('the pages', () => {
  it('link only to files that are there', () => {
    const dead = pages.flatMap((page) =>
      [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)]
        .map(([, target]) => target ?? '')
        .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  it('tell of each room what lives there', () => {
    const rooms = new Set(
      tracked.filter((path) => path.includes('/') && !path.startsWith('.')).map((path) => path.split('/')[0]),
    );
    for (const room of rooms) expect(pages).toContain(`${room}/README.md`);
  });
});
