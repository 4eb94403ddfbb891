import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time for user space in ticks of 10 ms on every architecture (USER_HZ, time(7)). */
const MS_PER_TICK = 10;

interface ProcessStat {
  readonly parent: number;
  /** Its own and that of its children that have ended and were waited for. */
  readonly cpuMs: number;
}

/** The process and all its descendants that run now. */
export function treeOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat) children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (const one of tree) tree.push(...(children.get(one) ?? []));
  return tree;
}

/** CPU time of a process tree so far, user and system; descendants that have come and gone are counted too. */
export function cpuMsOf(pid: number): number {
  return treeOf(pid).reduce((sum, one) => sum + (statOf(one)?.cpuMs ?? 0), 0);
}

/** CPU time by name of thread, descendants left out; numbers at the end of a name are dropped. */
export function cpuMsByThread(pid: number): Map<string, number> {
  const byName = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    const name = (read(`${folder}/comm`) ?? '?').trim().replace(/[-_ ]?\d+$/, '');
    const label = thread === String(pid) ? `${name} (main thread)` : name;
    byName.set(label, (byName.get(label) ?? 0) + (readStat(`${folder}/stat`)?.ownMs ?? 0));
  }
  return byName;
}

/** Resident memory in MB, what the tree's processes share counted for each of them. */
export function rssMbOf(pid: number): number {
  return sumKb(treeOf(pid), 'status', /^VmRSS:\s+(\d+) kB$/m) / 1024;
}

/** Resident memory in MB, each shared page counted once: Postgres's backends all map the same buffers. */
export function pssMbOf(pid: number): number {
  return sumKb(treeOf(pid), 'smaps_rollup', /^Pss:\s+(\d+) kB$/m) / 1024;
}

/** What the whole machine has computed so far; `stolen` is time the host gave to others. */
export function machineCpuMs(): { readonly busy: number; readonly stolen: number } {
  const fields = (read('/proc/stat') ?? '').split('\n', 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return { busy: (user + nice + system + irq + softirq) * MS_PER_TICK, stolen: steal * MS_PER_TICK };
}

function sumKb(pids: readonly number[], file: string, pattern: RegExp): number {
  return pids.reduce((sum, pid) => sum + Number(pattern.exec(read(`/proc/${pid}/${file}`) ?? '')?.[1] ?? 0), 0);
}

function statOf(pid: number): ProcessStat | undefined {
  const stat = readStat(`/proc/${pid}/stat`);
  return stat && { parent: stat.parent, cpuMs: stat.ownMs + stat.childrenMs };
}

/** Fields of proc_pid_stat(5). The name may hold blanks and parentheses, so counting begins behind it. */
function readStat(path: string): { parent: number; ownMs: number; childrenMs: number } | undefined {
  const raw = read(path);
  if (raw === undefined) return undefined;
  const fields = raw
    .slice(raw.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parent = 0] = fields;
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
  return { parent, ownMs: (utime + stime) * MS_PER_TICK, childrenMs: (cutime + cstime) * MS_PER_TICK };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
