import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from '../../../local/until.ts';
import { startProgram } from '../../support/program.ts';
import { buildImage } from './image.ts';
import { WatchingMonitor } from './monitor.ts';
import { findVmParts, type VmParts } from './parts.ts';

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
  /** The monitor that is Defib's alone. */
  qmpSocket: string;
  serialLog: string;
  bootMs: number;
  /** Resets that somebody asked for over QMP; the guest's own are not counted. */
  resets(): number;
  /** When QEMU did each of the resets that `resets` counts, epoch ms by this machine's clock. */
  resetTimes(): readonly number[];
  /** Runs a command on the test's own monitor, e.g. `stop` to freeze the VM behind Defib's back. */
  qmp(command: string): Promise<unknown>;
  /** HTTP status of `/health`; null when there is no answer within `timeoutMs`. */
  health(timeoutMs?: number): Promise<number | null>;
  /** Another after each boot of its kernel. Rejects while it does not serve. */
  bootId(): Promise<string>;
  /** Its web server accepts connections and never answers again, until the VM is reset. */
  hang(): Promise<unknown>;
  /** Its kernel panics, which QEMU notices a second later. */
  panic(): Promise<unknown>;
  stop(): Promise<void>;
}

/** Boots a real QEMU VM and resolves when it serves. @throws with the serial log when it doesn't. */
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
  const image = buildImage(found.parts, work);
  const qemu = startProgram(qemuCommand(found.parts, image, [qmpSocket, watching], serialLog), { endWithUs: 'KILL' });
  let failure: Error | undefined;
  void qemu.ended.then((how) => {
    failure = new Error(`QEMU ended with ${how}: ${qemu.err().trim()}`);
  });
  const untilThere = <T>(limitMs: number, ask: () => T | Promise<T>) =>
    until(
      () => {
        if (failure) throw failure;
        return ask();
      },
      { everyMs: 100, limitMs },
    );
  const stop = async () => {
    await qemu.kill();
    rmSync(work, { recursive: true, force: true });
    rmSync(qmpSocket, { force: true });
  };
  try {
    const monitor = await untilThere(20_000, () => openMonitor(watching));
    const url = `http://127.0.0.1:${await forwardedPort(monitor)}`;
    const health = (timeoutMs = 1_000) => httpStatus(`${url}/health`, timeoutMs);
    await untilThere(options.bootLimitMs ?? 90_000, health);
    return {
      url,
      qmpSocket,
      serialLog,
      bootMs: Math.round(performance.now() - begunAt),
      resets: () => monitor.resetTimes.length,
      resetTimes: () => monitor.resetTimes,
      qmp: (command) => monitor.execute(command),
      health,
      bootId: () => request(`${url}/boot-id`),
      hang: () => request(`${url}/cgi-bin/hang`),
      panic: () => request(`${url}/cgi-bin/panic`),
      async stop() {
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

/** QEMU in software emulation, with its two monitors. */
function qemuCommand({ qemu, kernel }: VmParts, image: string, monitors: string[], serialLog: string): string[] {
  return [
    // Code translated before a reset makes the boot after it slow, where it is overwritten: a small buffer and a kernel
    // that stays in its place (nokaslr) halve that. On a busy host the kernel's own test of its timer would fail, and it
    // would panic (no_timer_check).
    [qemu, '-M', 'q35', '-accel', 'tcg,tb-size=32', '-m', '128', '-nodefaults', '-no-user-config', '-display', 'none'],
    ['-kernel', kernel, '-initrd', image],
    ['-append', 'console=ttyS0 quiet mitigations=off random.trust_cpu=on nokaslr no_timer_check'],
    ['-serial', `file:${serialLog}`],
    // Port 0: the system picks one that is free, and QEMU tells which.
    ['-nic', 'user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:0-:80'],
    ['-device', 'pvpanic-pci', '-action', 'panic=pause'],
    ...monitors.map((path) => ['-qmp', `unix:${path},server=on,wait=off`]),
  ].flat();
}

/** Undefined while QEMU is not listening yet. */
async function openMonitor(path: string): Promise<WatchingMonitor | undefined> {
  const monitor = new WatchingMonitor(path);
  return monitor.execute('qmp_capabilities').then(
    () => monitor,
    () => undefined,
  );
}

/** QMP has no command for it; the human monitor's table of forwarded connections does. */
async function forwardedPort(monitor: WatchingMonitor): Promise<number> {
  const table = String(await monitor.execute('human-monitor-command', { 'command-line': 'info usernet' }));
  const port = /HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(table)?.[1];
  if (!port) throw new Error(`QEMU forwards no port: ${table}`);
  return Number(port);
}

async function request(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: 'close' } })).text();
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
