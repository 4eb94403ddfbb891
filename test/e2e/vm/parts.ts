import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { environment } from '../../../local/environment.mjs';

/** What this machine must have for a test VM. */
export interface VmParts {
  qemu: string;
  busybox: string;
  kernel: string;
  /** Files of kernel modules, in the order in which they must be loaded. */
  modules: string[];
}

export type FoundParts = { ok: true; parts: VmParts } | { ok: false; missing: string };

/** What the guest needs besides what its kernel has built in; pvpanic tells QEMU when that kernel panics. */
const MODULES = ['virtio_pci', 'virtio_net', 'pvpanic-pci'];

/** Looks for QEMU, a static busybox and a readable kernel with its modules; says in a sentence what is missing. */
export function findVmParts(): FoundParts {
  const qemu = onPath('qemu-system-x86_64');
  if (!qemu) return { ok: false, missing: 'qemu-system-x86_64 is not on PATH (apt install qemu-system-x86)' };
  const busybox = onPath('busybox');
  // ldd fails for a program that needs no libraries: there are none in the guest.
  if (!busybox || spawnSync('ldd', [busybox]).status === 0) {
    return { ok: false, missing: 'a statically linked busybox is not on PATH (apt install busybox-static)' };
  }
  for (const version of kernelVersions()) {
    const modules = modulesOf(version);
    if (modules) return { ok: true, parts: { qemu, busybox, kernel: `/boot/vmlinuz-${version}`, modules } };
  }
  const missing = 'no readable /boot/vmlinuz-* whose modules are in /lib/modules (apt install linux-image-cloud-amd64)';
  return { ok: false, missing };
}

/** Of the kernels that can be read, newest first. */
function kernelVersions(): string[] {
  if (!existsSync('/boot')) return [];
  const versions = readdirSync('/boot').flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? []);
  const newestFirst = versions.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return newestFirst.filter((version) => isReadable(`/boot/vmlinuz-${version}`));
}

/** As modprobe(8) would load them; undefined when this kernel lacks one. */
function modulesOf(version: string): string[] | undefined {
  const modprobe = onPath('modprobe') ?? 'modprobe';
  const asked = spawnSync(modprobe, ['-S', version, '--all', '--show-depends', ...MODULES], { encoding: 'utf8' });
  if (asked.status !== 0) return undefined;
  const files = [...asked.stdout.matchAll(/^insmod (\S+)/gm)].map(([, file = '']) => file);
  return [...new Set(files)];
}

/** Programs of root lie in folders that are not on everybody's PATH. */
function onPath(program: string): string | undefined {
  const folders = [...(environment.PATH ?? '').split(delimiter), '/usr/bin', '/bin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
