import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { listening, look, type Surroundings, saying } from './a-look.ts';

/** A server on loopback that redirects every path it is given a location for, and answers `arrived` to all others. */
async function redirecting(locations: { [path: string]: string }): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const port = await listening(
    createServer((request, response) => {
      const path = request.url ?? '';
      asked.push(path);
      const location = locations[path];
      if (location !== undefined) response.writeHead(302, { location });
      response.end(location === undefined ? 'arrived' : 'elsewhere');
    }),
  );
  return { port, asked };
}

const following = (target: string, surroundings?: Surroundings, address = '127.0.0.1') =>
  look('http', { target, address, timeoutMs: 2_000, options: { followRedirects: true } }, surroundings);

describe('redirects', () => {
  it('are healthy in themselves and not followed unless asked', async () => {
    const { port, asked } = await redirecting({ '/': '/next' });
    const result = await look('http', { target: `http://127.0.0.1:${port}/` });
    expect(result).toMatchObject({ status: 'healthy', rawResponse: { statusCode: 302, body: 'elsewhere' } });
    expect(result.summary).toMatch(/^http 302 /);
    expect(asked).toEqual(['/']);
  });

  it('are followed when asked, five of them', async () => {
    const { port, asked } = await redirecting({ '/': '1', '/1': '/2', '/2': './3?x=y', '/3?x=y': '4', '/4': '5' });
    const result = await following(`http://127.0.0.1:${port}/`);
    expect(result).toMatchObject({ status: 'healthy', rawResponse: { statusCode: 200, body: 'arrived' } });
    expect(asked).toEqual(['/', '/1', '/2', '/3?x=y', '/4', '/5']);
  });

  it('end in the sixth, as loops do', async () => {
    const { port, asked } = await redirecting({ '/': '/?secret=1', '/?secret=1': '/' });
    const result = await following(`http://127.0.0.1:${port}/`);
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'too-many-redirects' });
    expect(result.message).not.toContain('secret');
    expect(result.summary).toBe('http too many redirects');
    expect(asked).toHaveLength(6);
  });

  it('are judged by where they lead', async () => {
    const port = await saying('HTTP/1.1 500 No\r\n\r\n');
    const { port: first } = await redirecting({ '/': `http://127.0.0.1:${port}/` });
    expect((await following(`http://127.0.0.1:${first}/`)).message).toBe('HTTP 500');
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:169.254.169.254]/',
    'http://2852039166/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://[fe80::1]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://0.0.0.0/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'http://user:password@127.0.0.1/',
  ])('to %s are refused, which is nobody’s illness', async (location) => {
    const { port } = await redirecting({ '/': location });
    const allow = ['0.0.0.0/0:1-65535', '[::/0]:1-65535'];
    const result = await following(`http://127.0.0.1:${port}/`, { settings: { allow } });
    expect(result).toMatchObject({ status: 'unknown', reason: 'target-refused' });
    expect(result.message).toMatch(/^Redirected to /);
    expect(result.message).not.toContain('password@');
  });

  it('to a name that resolves to a metadata service are refused', async () => {
    const { port } = await redirecting({ '/': 'http://innocent.test/' });
    const result = await following(`http://127.0.0.1:${port}/`, {
      names: { 'innocent.test': ['169.254.169.254'] },
      settings: { allow: ['0.0.0.0/0:1-65535'] },
    });
    expect(result.message).toBe(
      'Redirected to http://innocent.test/. Refused: 169.254.169.254 is a link-local address, and no check may ever connect there.',
    );
  });

  it('to a port of Defib are refused, and nothing is sent there', async () => {
    const own = await redirecting({});
    const { port } = await redirecting({ '/': `http://127.0.0.1:${own.port}/` });
    const result = await following(`http://127.0.0.1:${port}/`, {
      settings: { ownPorts: new Set([own.port]) },
    });
    expect(result).toMatchObject({ status: 'unknown', reason: 'target-refused' });
    expect(own.asked).toEqual([]);
  });

  it('to another machine are refused, and nothing is sent there', async () => {
    const other = await redirecting({});
    const { port } = await redirecting({ '/': `http://other.test:${other.port}/` });
    const result = await following(`http://127.0.0.1:${port}/`, {
      names: { 'other.test': ['127.0.0.2'] },
      settings: { allow: ['127.0.0.1:1-65535'] },
    });
    expect(result).toMatchObject({ status: 'unknown', reason: 'target-refused' });
    expect(result.message).toMatch(/^Redirected to /);
    expect(other.asked).toEqual([]);
  });

  it('to this machine are refused also where an administrator set the check: the server says where they lead', async () => {
    const other = await redirecting({});
    const { port, asked } = await redirecting({ '/': `http://127.0.0.1:${other.port}/` });
    const settings = { allow: [], adminsReachThisMachine: true };
    const result = await following(`http://127.0.0.1:${port}/`, { settings });
    expect(asked).toHaveLength(1);
    expect(result).toMatchObject({ status: 'unknown', reason: 'target-refused' });
    expect(other.asked).toEqual([]);
    const within = await redirecting({ '/': '/next' });
    expect(await following(`http://127.0.0.1:${within.port}/`, { settings })).toMatchObject({ status: 'healthy' });
  });

  it('keep no body from elsewhere, though an administrator set the check: the server of a VM could show any other', async () => {
    const other = await redirecting({});
    const { port } = await redirecting({ '/': `http://127.0.0.1:${other.port}/`, '/within': '/next' });
    expect(await following(`http://127.0.0.1:${port}/`)).toMatchObject({
      status: 'healthy',
      rawResponse: { statusCode: 200, body: null },
    });
    expect(await following(`http://127.0.0.1:${port}/within`)).toMatchObject({ rawResponse: { body: 'arrived' } });
  });

  it('without a location are the answer', async () => {
    const port = await saying('HTTP/1.1 302 Found\r\nConnection: close\r\n\r\n');
    expect((await following(`http://127.0.0.1:${port}/`)).status).toBe('healthy');
  });

  it('to no URL at all are the server’s fault', async () => {
    const { port } = await redirecting({ '/': 'http://[' });
    const result = await following(`http://127.0.0.1:${port}/`);
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'bad-redirect' });
  });

  it('share one time limit', async () => {
    const hung = await saying('', () => undefined);
    const { port } = await redirecting({ '/': `http://127.0.0.1:${hung}/` });
    const result = await look('http', {
      target: `http://127.0.0.1:${port}/`,
      timeoutMs: 200,
      options: { followRedirects: true },
    });
    expect(result.message).toBe('HTTP timeout (0.2s)');
  });
});
