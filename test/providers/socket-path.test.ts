import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createQemuProvider } from '../../providers/qemu/qemu-provider.ts';
import { QMP_SOCKET_REFUSAL, registerQmpSocket, resolveQmpSocket } from '../../providers/qemu/socket-path.ts';
import { sendNow } from '../support/send-now.ts';

let root: string;
let allowed: string;
let outside: string;
const servers: Server[] = [];

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'qmp-path-')));
  allowed = join(root, 'qmp');
  outside = join(root, 'outside');
  mkdirSync(join(allowed, 'rack'), { recursive: true });
  mkdirSync(outside);
});

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true, force: true });
});

async function socketAt(path: string): Promise<string> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

const refused = { ok: false, message: QMP_SOCKET_REFUSAL };

describe('registering', () => {
  test('a socket inside, also in a folder below, is stored by its real path', async () => {
    for (const path of [join(allowed, 'a.sock'), join(allowed, 'rack', 'b.sock')]) {
      await socketAt(path);
      expect(await registerQmpSocket(path, [outside, allowed])).toEqual({ ok: true, qmpSocket: path });
    }
  });

  test('every name of one socket is stored as the same path', async () => {
    const path = await socketAt(join(allowed, 'a.sock'));
    symlinkSync(path, join(allowed, 'link.sock'));
    symlinkSync(allowed, join(root, 'qmp-link'));
    const names = [path, join(allowed, 'link.sock'), join(root, 'qmp-link', 'a.sock'), `${allowed}/rack/..//a.sock`];
    for (const name of names) {
      expect(await registerQmpSocket(name, [join(root, 'qmp-link')])).toEqual({ ok: true, qmpSocket: path });
    }
  });

  test('a VM that is off may be registered, under the path it has when it is on', async () => {
    symlinkSync(allowed, join(root, 'qmp-link'));
    const off = await registerQmpSocket(join(root, 'qmp-link', 'a.sock'), [join(root, 'qmp-link')]);
    await socketAt(join(allowed, 'a.sock'));
    expect(off).toEqual(await registerQmpSocket(join(allowed, 'a.sock'), [allowed]));
  });

  test('a socket is one VM per site', async () => {
    const path = await socketAt(join(allowed, 'a.sock'));
    const at = (site?: string) => createQemuProvider({ qmpSocketDirs: [allowed], ...(site ? { site } : {}) });
    const reference = { kind: 'qemu', qmpSocket: path };
    const sound = { ok: true, reference, warning: null };
    expect(await at().register(reference)).toEqual({ ...sound, key: `qemu:main:${path}` });
    expect(await at('dmz').register(reference)).toEqual({ ...sound, key: `qemu:dmz:${path}` });
    expect(await at().register({ ...reference, qmpSocket: outside })).toEqual({
      ok: false,
      problems: [{ path: 'qmpSocket', message: QMP_SOCKET_REFUSAL }],
    });
  });

  test('a connection test counts the sockets, and names the folder that can not be read', async () => {
    await socketAt(join(allowed, 'a.sock'));
    const tested = (dirs: string[]) => createQemuProvider({ qmpSocketDirs: dirs }).test(1000);
    expect(await tested([allowed])).toEqual({ ok: true, detail: `1 sockets in ${allowed}` });
    expect(await tested([join(root, 'gone')])).toMatchObject({ ok: false, reason: 'unreachable' });
    expect(await tested([])).toMatchObject({ ok: false, reason: 'unsupported' });
  });

  test('outside, there and not there get the same answer', async () => {
    await socketAt(join(outside, 'there.sock'));
    const paths = ['there.sock', 'not-there.sock', 'no/such/folder.sock'].map((name) => join(outside, name));
    for (const path of [...paths, '/etc/passwd', '/', allowed, `${allowed}/../outside/there.sock`]) {
      expect(await registerQmpSocket(path, [allowed])).toEqual(refused);
    }
  });

  test('a way through other folders says nothing about them: a path is what its text comes to', async () => {
    const path = await socketAt(join(allowed, 'a.sock'));
    symlinkSync(allowed, join(root, 'qmp-link'));
    for (const folder of [outside, join(root, 'no-such-folder'), '/etc', '/root/.ssh']) {
      const way = `${folder}${'/..'.repeat(folder.split('/').length - 1)}${path}`;
      expect(await registerQmpSocket(way, [allowed])).toEqual({ ok: true, qmpSocket: path });
      expect(await registerQmpSocket(`${folder}/x.sock`, [allowed])).toEqual(refused);
    }
    expect(await registerQmpSocket(join(root, 'qmp-link', 'a.sock'), [allowed])).toEqual(refused);
  });

  test('a socket of a second name is refused, also when it got that later', async () => {
    const path = await socketAt(join(allowed, 'a.sock'));
    expect(await resolveQmpSocket(path, [allowed])).toMatchObject({ ok: true });
    linkSync(path, join(allowed, 'rack', 'hard.sock'));
    for (const name of [path, join(allowed, 'rack', 'hard.sock')]) {
      expect(await registerQmpSocket(name, [allowed])).toEqual(refused);
      expect(await resolveQmpSocket(name, [allowed])).toMatchObject({ ok: false, reason: 'refused' });
    }
  });

  test('a folder whose name merely begins like an allowed one is outside', async () => {
    mkdirSync(`${allowed}-other`);
    const path = await socketAt(join(`${allowed}-other`, 'a.sock'));
    expect(await registerQmpSocket(path, [allowed])).toEqual(refused);
  });

  test('links that lead out get the same answer, whether or not something is there', async () => {
    await socketAt(join(outside, 'there.sock'));
    symlinkSync(join(outside, 'there.sock'), join(allowed, 'out.sock'));
    symlinkSync(join(outside, 'not-there.sock'), join(allowed, 'dangling.sock'));
    symlinkSync(outside, join(allowed, 'out'));
    for (const name of ['out.sock', 'dangling.sock', 'out/there.sock', 'out/not-there.sock']) {
      expect(await registerQmpSocket(join(allowed, name), [allowed])).toEqual(refused);
    }
  });

  test('what is no socket, relative, too long or odd is refused', async () => {
    writeFileSync(join(allowed, 'file.sock'), '');
    const odd = ['file.sock', 'rack', `${'x'.repeat(107)}.sock`, 'a\nb.sock', 'a\u0000b.sock', 'a\ud800b.sock'].map(
      (name) => `${allowed}/${name}`,
    );
    for (const path of [...odd, 'qmp/a.sock', '', '\u0000abstract']) {
      expect(await registerQmpSocket(path, [allowed])).toEqual(refused);
    }
  });

  test('without allowed folders nothing is allowed', async () => {
    const path = await socketAt(join(allowed, 'a.sock'));
    expect(await registerQmpSocket(path, [])).toEqual(refused);
    expect(await registerQmpSocket(path, [join(root, 'no-such-folder')])).toEqual(refused);
  });
});

describe('at each use', () => {
  test('a socket is used under its real path', async () => {
    const path = await socketAt(join(allowed, 'a.sock'));
    expect(await resolveQmpSocket(path, [allowed])).toEqual({ ok: true, path });
  });

  test('a socket that is away is unreachable', async () => {
    expect(await resolveQmpSocket(join(allowed, 'a.sock'), [allowed])).toMatchObject({
      ok: false,
      reason: 'unreachable',
    });
  });

  test.each(['outside', 'qmp'])('a path that became a link into %s is refused', async (folder) => {
    const target = await socketAt(join(root, folder, 'victim.sock'));
    symlinkSync(target, join(allowed, 'a.sock'));
    expect(await resolveQmpSocket(join(allowed, 'a.sock'), [allowed])).toMatchObject({ ok: false, reason: 'refused' });
  });

  test('a folder that became a link is refused', async () => {
    await socketAt(join(outside, 'a.sock'));
    renameSync(join(allowed, 'rack'), join(allowed, 'rack-before'));
    symlinkSync(outside, join(allowed, 'rack'));
    expect(await resolveQmpSocket(join(allowed, 'rack', 'a.sock'), [allowed])).toMatchObject({
      ok: false,
      reason: 'refused',
    });
  });

  test('a power action over a refused path is not sent', async () => {
    const path = await socketAt(join(outside, 'a.sock'));
    const provider = createQemuProvider({ qmpSocketDirs: [allowed] });
    const outcome = await sendNow(provider, { kind: 'qemu', qmpSocket: path }, 'reset', 1000);
    expect(outcome).toMatchObject({ outcome: 'not-sent', reason: 'refused' });
  });
});
