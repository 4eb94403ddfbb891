import { describe, expect, it } from 'vitest';
import { groupedReads, keptReads } from '../../activities/look/shared-reads.ts';

describe('reads in groups', () => {
  it('are one for all who ask at the same time, and null where there is nothing', async () => {
    const groups: (readonly string[])[] = [];
    const read = groupedReads(async (keys) => {
      groups.push(keys);
      return new Map([['a', 1]]);
    });
    expect(await Promise.all([read('a'), read('b'), read('a')])).toEqual([1, null, 1]);
    expect(groups).toHaveLength(1);
    expect(await read('a')).toBe(1);
    expect(groups).toHaveLength(2);
  });

  it('fail for everyone in the group, and are tried anew afterwards', async () => {
    let fails = true;
    const read = groupedReads(async () => {
      if (fails) throw new Error('away');
      return new Map([['a', 1]]);
    });
    const settled = await Promise.allSettled([read('a'), read('b')]);
    expect(settled.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await read('a')).toBe(1);
  });
});

describe('reads that are kept', () => {
  function keptCounts() {
    const world = { nowMs: 1_000, reads: 0, fails: false };
    const read = keptReads(
      async (key) => {
        world.reads += 1;
        if (world.fails) throw new Error('away');
        return { key, nth: world.reads };
      },
      () => world.nowMs,
    );
    return { world, read };
  }

  it('answer what was read in the last 2 s of the clock they are given', async () => {
    const { world, read } = keptCounts();
    expect(await read('a')).toEqual({ key: 'a', nth: 1 });
    world.nowMs += 1_999;
    expect(await read('a')).toEqual({ key: 'a', nth: 1 });
    expect(await read('b')).toEqual({ key: 'b', nth: 2 });
    world.nowMs += 2;
    expect(await read('a')).toEqual({ key: 'a', nth: 3 });
  });

  it('are shared while they are under way', async () => {
    const { world, read } = keptCounts();
    await Promise.all([read('a'), read('a')]);
    expect(world.reads).toBe(1);
  });

  it('are not kept when they failed', async () => {
    const { world, read } = keptCounts();
    world.fails = true;
    await expect(read('a')).rejects.toThrow('away');
    world.fails = false;
    expect(await read('a')).toEqual({ key: 'a', nth: 2 });
  });
});
