import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WatchingMonitor } from './monitor.ts';
import { findVmParts } from './parts.ts';
import { endProcess, launchQemu } from './qemu-process.ts';

export interface TestVmOptions {
  /** Where the QMP socket for Defib is made, e.g. `<data dir>/qmp`; made when missing. */
  dir: string;
  /** Name of the socket without `.sock`; by default one that no other VM has. */
  name?: string;
  /** How long the guest may take until it serves; TCG needs some 5 s on an idle machine. */
  bootLimitMs?: number;
}

export interface TestVm {
  /** `http://127.0.0.1:<port>` of the guest's web server: /health, /boot-id, /cgi-bin/hang, /cgi-bin/panic. */
  url: string;
  httpPort: number;
  /** The monitor that is Defib's alone. */
  qmpSocket: string;
  serialLog: string;
  bootMs: number;
  /** Resets that somebody asked for over QMP; the guest's own are not counted. */
  resets(): number;
  resetsByReason(): Record<string, number>;
  /** When QEMU did each of the resets that `resets` counts, epoch ms by this machine's clock. */
  resetTimes(): number[];
  /** Runs a command on the test's own monitor, e.g. `stop` to freeze the VM behind Defib's back. */
  qmp(command: string, args?: Record<string, unknown>): Promise<unknown>;
  /** HTTP status of `/health`; null when there is no answer within `timeoutMs`. */
  health(timeoutMs?: number): Promise<number | null>;
  stop(): Promise<void>;
}

/** Boots a real QEMU VM and resolves when it serves. Throws with the serial log when it doesn't. */
export async function startTestVm(options: TestVmOptions): Promise<TestVm> {
  const found = findVmParts();
  if (!found.ok) throw new Error(`No test VM: ${found.missing}`);
  mkdirSync(options.dir, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'defib-vm-'));
  const qmpSocket = resolve(options.dir, `${options.name ?? `test-vm-${work.slice(-6)}`}.sock`);
  if (Buffer.byteLength(qmpSocket) > 107) throw new Error(`Too long for a socket path (107 bytes): ${qmpSocket}`);
  const watching = join(work, 'watch.sock');
  const serialLog = join(work, 'serial.log');
  const begunAt = performance.now();
  const qemu = launchQemu(found.parts, { qmpSocket, watching, serialLog });
  const stop = async () => {
    await endProcess(qemu.process);
    rmSync(work, { recursive: true, force: true });
    rmSync(qmpSocket, { force: true });
  };
  try {
    const monitor = await untilDefined(
      20_000,
      () => qemu.failure(),
      () => openMonitor(watching),
    );
    const httpPort = await forwardedPort(monitor);
    const url = `http://127.0.0.1:${httpPort}`;
    const health = (timeoutMs = 1000) => httpStatus(`${url}/health`, timeoutMs);
    await untilDefined(
      options.bootLimitMs ?? 90_000,
      () => qemu.failure(),
      async () => (await health()) ?? undefined,
    );
    return {
      url,
      httpPort,
      qmpSocket,
      serialLog,
      bootMs: Math.round(performance.now() - begunAt),
      resets: () => monitor.resetsByReason.get('host-qmp-system-reset') ?? 0,
      resetsByReason: () => Object.fromEntries(monitor.resetsByReason),
      resetTimes: () =>
        monitor.resets.filter(({ reason }) => reason === 'host-qmp-system-reset').map(({ atMs }) => atMs),
      qmp: (command, args) => monitor.execute(command, args),
      health,
      stop: async () => {
        monitor.close();
        await stop();
      },
    };
  } catch (error) {
    const serial = existsSync(serialLog) ? readFileSync(serialLog, 'utf8').slice(-2000) : '';
    await stop();
    throw new Error(`The test VM did not come up. Serial log: ${serial || '(empty)'}`, { cause: error });
  }
}

async function openMonitor(path: string): Promise<WatchingMonitor | undefined> {
  return existsSync(path) ? WatchingMonitor.open(path).catch(() => undefined) : undefined;
}

/** QMP has no command for it; the human monitor's table of forwarded connections does. */
async function forwardedPort(monitor: WatchingMonitor): Promise<number> {
  const table = String(await monitor.execute('human-monitor-command', { 'command-line': 'info usernet' }));
  const port = /HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(table)?.[1];
  if (!port) throw new Error(`QEMU forwards no port: ${table}`);
  return Number(port);
}

async function httpStatus(url: string, timeoutMs: number): Promise<number | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), headers: { connection: 'close' } });
    await response.text();
    return response.status;
  } catch {
    return null;
  }
}

async function untilDefined<T>(limitMs: number, failure: () => string | undefined, ask: () => Promise<T | undefined>) {
  const until = performance.now() + limitMs;
  while (performance.now() < until) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    const failed = failure();
    if (failed) throw new Error(failed);
    await sleep(100);
  }
  throw new Error(`Nothing within ${limitMs} ms`);
}
