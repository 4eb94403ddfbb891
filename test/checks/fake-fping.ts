import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A program that stands in for fping until the test ends: what it prints was copied from fping 5.1. */
export function fakeFping(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'defib-fping-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'fping');
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

/** What a fake that writes to `$0.log` has written. */
fakeFping.log = (path: string): string[] => readFileSync(`${path}.log`, 'utf8').trim().split('\n');
