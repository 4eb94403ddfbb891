import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What this machine must have for a test VM. */
export interface VmParts {
  qemu: string;
  busybox: string;
  kernel: string;
  /** Kernel modules in the order in which they must be loaded. */
  modules: string[];
}

export type FoundParts = { ok: true; parts: VmParts } | { ok: false; missing: string };

// Dependency order; pvpanic tells QEMU when the guest's kernel panics.
const MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'virtio_pci',
  'failover',
  'net_failover',
  'virtio_net',
  'pvpanic',
  'pvpanic-pci',
];

/** Looks for QEMU, a static busybox and a readable kernel with its modules; says in a sentence what is missing. */
export function findVmParts(): FoundParts {
  const qemu = onPath('qemu-system-x86_64');
  if (!qemu) return { ok: false, missing: 'qemu-system-x86_64 is not on PATH (apt install qemu-system-x86)' };
  const busybox = onPath('busybox');
  if (!busybox || !isStatic(busybox)) {
    return { ok: false, missing: 'a statically linked busybox is not on PATH (apt install busybox-static)' };
  }
  for (const version of kernelVersions()) {
    const modules = modulesOf(version);
    if (modules) return { ok: true, parts: { qemu, busybox, kernel: `/boot/vmlinuz-${version}`, modules } };
  }
  const missing = 'no readable /boot/vmlinuz-* whose modules are in /lib/modules (apt install linux-image-cloud-amd64)';
  return { ok: false, missing };
}

function kernelVersions(): string[] {
  if (!existsSync('/boot')) return [];
  const versions = readdirSync('/boot').flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? []);
  const newestFirst = versions.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return newestFirst.filter((version) => isReadable(`/boot/vmlinuz-${version}`));
}

/** A module that is built into the kernel needs no loading; one that is nowhere rules this kernel out. */
function modulesOf(version: string): string[] | undefined {
  const root = `/lib/modules/${version}`;
  if (!existsSync(join(root, 'modules.dep'))) return undefined;
  const files = readFileSync(join(root, 'modules.dep'), 'utf8')
    .split('\n')
    .map((line) => line.split(':')[0] ?? '');
  const builtin = readFileSync(join(root, 'modules.builtin'), 'utf8').split('\n');
  const found: string[] = [];
  for (const name of MODULES) {
    const file = files.find((path) => path.endsWith(`/${name}.ko`) || path.endsWith(`/${name}.ko.xz`));
    if (file) found.push(join(root, file));
    else if (!builtin.some((path) => path.endsWith(`/${name}.ko`))) return undefined;
  }
  return found;
}

function onPath(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** No interpreter segment (elf(5), PT_INTERP) among the program headers: nothing to load it is needed in the guest. */
function isStatic(path: string): boolean {
  const elf = readFileSync(path);
  const [start, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  const types = Array.from({ length: count }, (_, index) => elf.readUInt32LE(start + index * size));
  return !types.includes(3);
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
