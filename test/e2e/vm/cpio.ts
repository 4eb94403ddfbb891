/** One entry of an archive. `device` makes a character device node of that major and minor number. */
export interface CpioEntry {
  path: string;
  /** Type and permission bits as in stat(2). */
  mode: number;
  content?: Buffer;
  device?: { major: number; minor: number };
}

/**
 * Packs entries in cpio's `newc` format, which the kernel unpacks as an initramfs (kernel docs, driver-api/early-userspace/
 * buffer-format). Owner root and time 0, so the same entries give the same bytes, and neither root nor cpio is needed.
 */
export function packCpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.map((entry, index) => packEntry(entry, index + 1));
  parts.push(packEntry({ path: 'TRAILER!!!', mode: 0 }, 0));
  return Buffer.concat(parts);
}

function packEntry(entry: CpioEntry, inode: number): Buffer {
  const content = entry.content ?? Buffer.alloc(0);
  const name = Buffer.from(`${entry.path}\0`);
  const { major, minor } = entry.device ?? { major: 0, minor: 0 };
  const fields = [inode, entry.mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(content)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
