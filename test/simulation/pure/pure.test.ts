import { expect, it } from 'vitest';
import { playLives } from './play-lives.ts';

it('ten thousand VM-hours of looks, decisions and operations come to nothing that must never be', {
  timeout: 300_000,
}, () => {
  const { failures, commands } = playLives({ seed: Date.now() % 1_000_000_000, vmHours: 10_000 });
  expect(failures).toEqual([]);
  expect(commands).toBeGreaterThan(100);
});
