import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { closedPort, listening, look, saying } from './a-look.ts';
import { hungServer } from './hung-server.ts';

const at = (port: number, path = '/') => `http://127.0.0.1:${port}${path}`;
const answer = (head: string, body: string | Buffer = '') =>
  Buffer.concat([Buffer.from(`HTTP/1.1 ${head}\r\nConnection: close\r\n\r\n`), Buffer.from(body)]);

describe('the http check', () => {
  it('asks plainly: GET, the host as written, its own name, no compression', async () => {
    const port = await listening(
      createServer((request, response) => {
        const { host, 'user-agent': agent, 'accept-encoding': encoding } = request.headers;
        response.end(JSON.stringify({ method: request.method, url: request.url, host, agent, encoding }));
      }),
    );
    const names = { 'vm.test': ['127.0.0.1'] };
    const target = `http://vm.test:${port}/a%20b?c=d#e`;
    const result = await look('http', { target, address: 'vm.test' }, { names });
    expect(result).toMatchObject({ status: 'healthy', reason: 'ok', message: null });
    expect(result.rawResponse.statusCode).toBe(200);
    const heard = { method: 'GET', url: '/a%20b?c=d', host: `vm.test:${port}`, agent: 'defib' };
    expect(JSON.parse(String(result.rawResponse.body))).toEqual(heard);
    expect(result.summary).toMatch(/^http 200 [\d.]+ ms$/);
  });

  it.each([200, 204, 301, 304, 399])('calls %i healthy', async (status) => {
    const port = await saying(answer(`${status} Whatever`));
    const result = await look('http', { target: at(port) });
    expect(result).toMatchObject({ status: 'healthy', rawResponse: { statusCode: status } });
  });

  it.each([400, 404, 500, 503, 999])('calls %i unhealthy', async (status) => {
    const port = await saying(answer(`${status} Whatever`, 'sorry'));
    const result = await look('http', { target: at(port) });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'http-status', message: `HTTP ${status}` });
    expect(result.rawResponse).toEqual({ statusCode: status, body: 'sorry' });
    expect(result.summary).toBe(`http ${status}`);
  });

  it('waits for the answer behind an early hint', async () => {
    const port = await saying(Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'), answer('503 No')]));
    expect((await look('http', { target: at(port) })).message).toBe('HTTP 503');
  });

  it.each([
    ['announces its answer for ever', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ['never ends its status line', 'HTTP/1.1 200 ', 'O'],
    ['never ends the head of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;', 'x'],
    ['sends empty lines', '', '\r\n'],
  ])('takes no answer from a server that %s', async (_what, head, piece) => {
    const port = await saying(head + piece.repeat(400_000), () => undefined);
    const result = await look('http', { target: `http://127.0.0.1:${port}/`, timeoutMs: 3_000 });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'not-http' });
    expect(result.message).toContain('it does not end');
  });

  it('looks at an IPv6 address', async () => {
    const port = await listening(
      createServer((request, response) => response.end(request.headers.host)),
      '::1',
    );
    const result = await look('http', { target: `http://[::1]:${port}/`, address: '::1' });
    expect(result.rawResponse).toEqual({ statusCode: 200, body: `[::1]:${port}` });
  });

  it('reads no address from a path, however it begins', async () => {
    for (const target of ['//evil.test/', '/@evil.test/', '/\\evil.test/', '/:1@evil.test/']) {
      const result = await look('http', { target, address: '127.0.0.1', timeoutMs: 500 });
      expect(JSON.stringify(result)).not.toContain('evil');
    }
  });
});

describe('the http check, with a body', () => {
  it('keeps none of it unless an administrator set it, and the installation does', async () => {
    const port = await saying(answer('503 Down', 'names of others'));
    const reaches = (byAdmin: boolean) => ({ byAdmin, tenantTargets: [] });
    const found = async (byAdmin: boolean, keepBodies?: boolean) => {
      const surroundings = keepBodies === undefined ? {} : { keepBodies };
      return look('http', { target: at(port), reach: reaches(byAdmin) }, surroundings);
    };
    expect((await found(true)).rawResponse).toEqual({ statusCode: 503, body: 'names of others' });
    for (const result of [await found(false), await found(false, true), await found(true, false)]) {
      expect(result.rawResponse).toEqual({ statusCode: 503, body: null });
      expect(JSON.stringify(result)).not.toContain('names of others');
    }
  });

  it('keeps 500 characters, and no half ones', async () => {
    const port = await saying(answer('200 OK', `${'x'.repeat(499)}😀 and more`));
    expect((await look('http', { target: at(port) })).rawResponse.body).toBe('x'.repeat(499));
  });

  it('keeps 500 characters of any width', async () => {
    const port = await saying(answer('200 OK', '€'.repeat(5_000)));
    expect((await look('http', { target: at(port) })).rawResponse.body).toBe('€'.repeat(500));
  });

  it('is not upset by NUL bytes and invalid UTF-8', async () => {
    const port = await saying(
      answer('200 OK', Buffer.from([0x61, 0x00, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x62])),
    );
    const result = await look('http', { target: at(port) });
    expect(result.status).toBe('healthy');
    expect(result.rawResponse.body).toBe('a\0\u{fffd}\u{fffd}\u{fffd}(\u{fffd}\u{fffd}\u{fffd}b');
    expect(String(result.rawResponse.body).isWellFormed()).toBe(true);
  });

  it('stops reading a body without end after 64 KB, and is content', async () => {
    let sent = 0;
    const port = await saying(answer('200 OK'), (socket) => {
      const chunk = Buffer.alloc(16 * 1024, 'y');
      const more = () => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      };
      socket.on('drain', more);
      more();
    });
    const result = await look('http', { target: at(port) });
    expect(result).toMatchObject({ status: 'healthy', rawResponse: { statusCode: 200, body: 'y'.repeat(500) } });
    // what the kernel buffers is not ours to limit
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('times out on a body that dribbles for ever', async () => {
    const port = await saying(answer('200 OK'), (socket) => {
      const dribble = setInterval(() => socket.write('.'), 10);
      socket.on('close', () => clearInterval(dribble));
    });
    const result = await look('http', { target: at(port), timeoutMs: 300 });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'timeout', message: 'HTTP timeout (0.3s)' });
    expect(result.rawResponse.statusCode).toBe(200);
    expect(result.summary).toBe('http timeout (0.3s)');
  });

  it('takes a bad status for the answer, however slow its body', async () => {
    const port = await saying(answer('503 No'), () => undefined);
    const result = await look('http', { target: at(port), timeoutMs: 200 });
    expect(result.message).toBe('HTTP 503');
  });
});

describe('the http check, with a server that is', () => {
  it('not there: says what to do', async () => {
    const port = await closedPort();
    const result = await look('http', { target: at(port) });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'connection-refused', latencyMs: null });
    expect(result.message).toBe(
      `connect ECONNREFUSED 127.0.0.1:${port}. Nothing listens there: start the service, or correct the port.`,
    );
    expect(result.rawResponse).toEqual({ statusCode: null, body: null, error: result.message });
    expect(result.summary).toBe('http connection refused');
  });

  it.each([{ full: false }, { full: true }])('hung (connection queue full: $full): times out', async (how) => {
    const port = await hungServer(how);
    const result = await look('http', { target: at(port), timeoutMs: 300 });
    expect(result).toMatchObject({ status: 'unhealthy', message: 'HTTP timeout (0.3s)' });
  });

  it('slow with its headers: times out', async () => {
    const port = await saying('HTTP/1.1 200 OK\r\n', (socket) => {
      const dribble = setInterval(() => socket.write('X-Slow: yes\r\n'), 10);
      socket.on('close', () => clearInterval(dribble));
    });
    const result = await look('http', { target: at(port), timeoutMs: 200 });
    expect(result).toMatchObject({ status: 'unhealthy', message: 'HTTP timeout (0.2s)' });
  });

  it.each<[string, string | Buffer, string]>([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2p1\r\n', 'not-http'],
    ['noise', Buffer.from([0, 1, 2, 255, 254, 0, 0]), 'not-http'],
    ['too many headers', `HTTP/1.1 200 OK\r\n${'X-Long: y\r\n'.repeat(4_000)}\r\n`, 'not-http'],
    ['a body shorter than promised', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort', 'connection-closed'],
    ['a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'not-http'],
    ['half a status line', 'HTTP/1.', 'connection-closed'],
    ['nothing', '', 'connection-closed'],
  ])('saying %s: explains it', async (_, said, reason) => {
    const port = await saying(said);
    const result = await look('http', { target: at(port) });
    expect(result).toMatchObject({ status: 'unhealthy', reason });
    expect(result.message).toMatch(/\.$/);
    expect(result.summary).toBe(`http ${reason.replace('-', ' ')}`);
  });

  it('resetting connections: explains it', async () => {
    const port = await saying('', (socket) => socket.resetAndDestroy());
    const result = await look('http', { target: at(port) });
    expect(result.status).toBe('unhealthy');
    expect(result.reason).toMatch(/^connection-(reset|closed)$/);
  });

  it('resetting in the middle of its body: explains it, and keeps what came', async () => {
    const port = await saying(answer('200 OK\r\nContent-Length: 100', 'half'), (socket) =>
      setTimeout(() => socket.resetAndDestroy(), 50),
    );
    const result = await look('http', { target: at(port) });
    expect(result).toMatchObject({ status: 'unhealthy', rawResponse: { statusCode: 200, body: 'half' } });
  });

  it('is not conclusive when it has no address', async () => {
    expect(await look('http', { target: null, address: null })).toMatchObject({
      status: 'unknown',
      reason: 'no-address',
    });
  });
});
