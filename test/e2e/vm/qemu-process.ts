import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { buildImage } from './image.ts';
import type { VmParts } from './parts.ts';

const SETPRIV = '/usr/bin/setpriv';

/** Starts QEMU in software emulation, with its two monitors. `failure()` tells why it ended, once it has. */
export function launchQemu(parts: VmParts, paths: { qmpSocket: string; watching: string; serialLog: string }) {
  const settings = [
    // Code translated before a reset makes the boot after it slow, where it is overwritten: a small buffer and a kernel
    // that stays in its place (nokaslr) halve that.
    ['-M', 'q35', '-accel', 'tcg,tb-size=32', '-m', '128', '-nodefaults', '-no-user-config', '-display', 'none'],
    ['-kernel', parts.kernel, '-initrd', buildImage(parts)],
    ['-append', 'console=ttyS0 quiet mitigations=off random.trust_cpu=on nokaslr'],
    ['-serial', `file:${paths.serialLog}`],
    // Port 0: the system picks one that is free, and QEMU tells which.
    ['-nic', 'user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:0-:80'],
    ['-device', 'pvpanic-pci', '-action', 'panic=pause'],
    ['-qmp', `unix:${paths.qmpSocket},server=on,wait=off`, '-qmp', `unix:${paths.watching},server=on,wait=off`],
  ].flat();
  // A test runner that is killed must not leave a VM behind: the kernel ends it with its parent.
  const [program, leading] = existsSync(SETPRIV) ? [SETPRIV, ['--pdeathsig', 'KILL', parts.qemu]] : [parts.qemu, []];
  const child = spawn(program, [...leading, ...settings], { stdio: ['ignore', 'ignore', 'pipe'] });
  let failure: string | undefined;
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('close', (code) => {
    failure ??= `QEMU ended with ${code}: ${words.trim()}`;
  });
  return { process: child, failure: () => failure };
}

/** Ends a process that this one started, and waits until it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  child.kill('SIGKILL');
  await closed;
}
