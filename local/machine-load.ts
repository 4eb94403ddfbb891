import { statfsSync } from 'node:fs';
import { cpus, freemem, totalmem, uptime } from 'node:os';

export interface MachineLoad {
  cpu: number;
  ram: number;
  disk: number;
  uptime: number;
}

/** Measures this machine as an agent would, in percent and seconds; CPU is the mean since the last call, or since boot. */
export function createLoadMeter(): () => MachineLoad {
  let before = { idle: 0, total: 0 };
  return () => {
    const now = cpuTimes();
    const total = now.total - before.total;
    const cpu = total > 0 ? 100 * (1 - (now.idle - before.idle) / total) : 0;
    before = now;
    const { blocks, bavail } = statfsSync('/');
    return {
      cpu: inPercent(cpu),
      // On Linux freemem() is what could be had, caches included (MemAvailable in proc(5)).
      ram: inPercent(100 * (1 - freemem() / totalmem())),
      disk: inPercent(100 * (1 - bavail / blocks)),
      uptime: Math.floor(uptime()),
    };
  };
}

function cpuTimes(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

function inPercent(value: number): number {
  return Math.round(Math.min(100, Math.max(0, value)) * 10) / 10;
}
