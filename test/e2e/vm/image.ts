import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VmParts } from './parts.ts';

const GUEST = fileURLToPath(new URL('./guest', import.meta.url));
const APPLETS = ['sh', 'mount', 'insmod', 'ip', 'cat', 'httpd', 'sleep', 'kill'];
const MAX_BYTES = 64 * 1024 * 1024;

/** Makes the guest's initramfs (a few MB) in this folder and returns its path. Neither root nor cpio is needed. */
export function buildImage({ busybox, modules }: VmParts, folder: string): string {
  const root = join(folder, 'guest');
  cpSync(GUEST, root, { recursive: true });
  for (const name of ['bin', 'dev', 'modules', 'proc', 'run', 'sys']) mkdirSync(join(root, name));
  copyFileSync(busybox, join(root, 'bin', 'busybox'));
  for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
  const names = modules.map((module) => {
    const packed = module.endsWith('.xz');
    const content = packed ? execFileSync(busybox, ['xzcat', module], { maxBuffer: MAX_BYTES }) : readFileSync(module);
    const name = basename(module, '.xz');
    writeFileSync(join(root, 'modules', name), content);
    return name;
  });
  writeFileSync(join(root, 'modules', 'order'), names.map((name) => `${name}\n`).join(''));

  // A folder stands before what is in it.
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
  const input = paths.map((path) => `${path}\n`).join('');
  const packed = execFileSync(busybox, ['cpio', '-o', '-H', 'newc'], { cwd: root, input, maxBuffer: MAX_BYTES });
  const image = join(folder, 'initramfs');
  writeFileSync(image, packed);
  return image;
}
