import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CpioEntry, packCpio } from './cpio.ts';
import type { VmParts } from './parts.ts';

const GUEST = new URL('./guest/', import.meta.url);
const APPLETS = ['sh', 'mount', 'insmod', 'ip', 'cat', 'httpd', 'sleep', 'kill'];
const FOLDER = 0o040755;
const PROGRAM = 0o100755;
const LINK = 0o120777;
const CHARACTER_DEVICE = 0o020600;

/**
 * Makes the guest's initramfs (about 1 MB) and returns its path. Cached under a name made of its content, so a changed
 * init script, busybox or kernel makes another one.
 */
export function buildImage(parts: VmParts, cacheDir = defaultCacheDir()): string {
  const archive = packCpio(guestEntries(parts));
  const image = join(cacheDir, `initramfs-${createHash('sha256').update(archive).digest('hex').slice(0, 16)}.gz`);
  if (!existsSync(image)) {
    mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
    const unfinished = `${image}.${process.pid}`;
    writeFileSync(unfinished, gzipSync(archive));
    renameSync(unfinished, image);
  }
  return image;
}

function guestEntries(parts: VmParts): CpioEntry[] {
  const folder = (path: string): CpioEntry => ({ path, mode: FOLDER });
  const program = (path: string, content: Buffer): CpioEntry => ({ path, mode: PROGRAM, content });
  const modules = parts.modules.map((path) => ({ name: basename(path).replace(/\.xz$/, ''), content: unpacked(path) }));
  return [
    ...['bin', 'dev', 'modules', 'proc', 'run', 'sys', 'www', 'www/cgi-bin'].map(folder),
    // Without a console of its own an early message of init has nowhere to go.
    { path: 'dev/console', mode: CHARACTER_DEVICE, device: { major: 5, minor: 1 } },
    program('bin/busybox', readFileSync(parts.busybox)),
    ...APPLETS.map((name) => ({ path: `bin/${name}`, mode: LINK, content: Buffer.from('busybox') })),
    program('init', readFileSync(new URL('init', GUEST))),
    program('www/health', Buffer.from('ok\n')),
    ...readdirSync(new URL('cgi-bin', GUEST)).map((name) =>
      program(`www/cgi-bin/${name}`, readFileSync(new URL(`cgi-bin/${name}`, GUEST))),
    ),
    ...modules.map(({ name, content }) => program(`modules/${name}`, content)),
    program('modules/order', Buffer.from(modules.map(({ name }) => `${name}\n`).join(''))),
  ];
}

function unpacked(module: string): Buffer {
  if (!module.endsWith('.xz')) return readFileSync(module);
  return execFileSync('xz', ['-dc', module], { maxBuffer: 64 * 1024 * 1024 });
}

function defaultCacheDir(): string {
  return join(tmpdir(), `defib-test-vm-${userInfo().uid}`);
}
