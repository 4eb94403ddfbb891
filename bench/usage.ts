import { cpuMsByThread, cpuMsOf, machineCpuMs, pssMbOf, rssMbOf } from './proc.ts';
import type { Part, World } from './world.ts';

export interface PartUsage {
  readonly name: string;
  readonly product: boolean;
  readonly cpuMs: number;
  readonly memoryMb: number;
}

export interface Usage {
  readonly wallMs: number;
  readonly parts: readonly PartUsage[];
  /** CPU of the worker's threads by name, most first. */
  readonly workerThreads: readonly (readonly [name: string, cpuMs: number])[];
  /** CPU of processes that aren't ours: the less, the better the figures. */
  readonly othersCpuMs: number;
  readonly stolenMs: number;
}

/** Starts counting; the returned function answers what was used since. */
export function meter(world: World): () => Usage {
  const begin = snapshot(world);
  return () => {
    const end = snapshot(world);
    const parts = world.parts.map((part) => ({
      name: part.name,
      product: part.product,
      cpuMs: (end.parts.get(part.name) ?? 0) - (begin.parts.get(part.name) ?? 0),
      memoryMb: memoryMbOf(part),
    }));
    const own = { name: 'bench', product: false, cpuMs: end.benchMs - begin.benchMs, memoryMb: ownMemoryMb() };
    const ours = [...parts, own].reduce((sum, part) => sum + part.cpuMs, 0);
    const threads = [...end.threads].map(([name, ms]) => [name, ms - (begin.threads.get(name) ?? 0)] as const);
    return {
      wallMs: end.atMs - begin.atMs,
      parts: [...parts, own],
      workerThreads: threads.filter(([, ms]) => ms > 0).toSorted(([, a], [, b]) => b - a),
      othersCpuMs: Math.max(0, end.machine.busy - begin.machine.busy - ours),
      stolenMs: end.machine.stolen - begin.machine.stolen,
    };
  };
}

/** Resident memory of a part now, MB. */
export function memoryMbOf({ pid, memory }: Part): number {
  return memory === 'pss' ? pssMbOf(pid) : rssMbOf(pid);
}

function ownMemoryMb(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

function snapshot({ parts, worker }: World) {
  const { user, system } = process.cpuUsage();
  return {
    atMs: Date.now(),
    parts: new Map(parts.map(({ name, pid }) => [name, cpuMsOf(pid)])),
    threads: cpuMsByThread(worker.pid),
    benchMs: (user + system) / 1000,
    machine: machineCpuMs(),
  };
}
