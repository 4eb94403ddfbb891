import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { listening, look, saying } from './a-look.ts';
import { hungServer } from './hung-server.ts';

const read = (file: string) => readFileSync(new URL(`./certificates/${file}.pem`, import.meta.url), 'utf8');
const authorities = [read('authority.cert')];

async function secured(name: string): Promise<number> {
  return listening(
    createServer({ key: read(`${name}.key`), cert: read(`${name}.cert`) }, (request, response) => {
      response.end(`for ${String((request.socket as TLSSocket).servername)}`);
    }),
  );
}

describe('https', () => {
  it('is healthy with a certificate that is in order', async () => {
    const port = await secured('valid');
    const result = await look('http', { target: `https://127.0.0.1:${port}/` }, { authorities });
    expect(result).toMatchObject({ status: 'healthy', rawResponse: { statusCode: 200, body: 'for false' } });
    expect(result.summary).toMatch(/^http 200 /);
  });

  it('asks by name, and checks the certificate for that name', async () => {
    const port = await secured('other-name');
    const names = { 'other.test': ['127.0.0.1'] };
    const result = await look('http', { target: `https://other.test:${port}/` }, { authorities, names });
    expect(result).toMatchObject({ status: 'healthy', rawResponse: { body: 'for other.test' } });
  });

  it('ends an answer that does not end by itself', async () => {
    const server = createTlsServer({ key: read('valid.key'), cert: read('valid.cert') }, (socket) => {
      socket.on('error', () => undefined);
      socket.write(`HTTP/1.1 200 ${'O'.repeat(1_000_000)}`);
    });
    const port = await listening(server);
    const result = await look('http', { target: `https://127.0.0.1:${port}/`, timeoutMs: 3_000 }, { authorities });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'not-http' });
  });

  it.each([
    ['expired', 'tls-expired', /certificate has expired\. Renew the certificate, or set verifyTls to false/],
    ['future', 'tls-not-yet-valid', /not yet valid\. Correct the clock/],
    ['self-signed', 'tls-self-signed', /self-signed certificate\. Have it signed by an authority/],
    ['other-name', 'tls-name-mismatch', /altnames.*Use a name that is in the certificate/],
  ])('explains a certificate that is %s, and looks past it when told to', async (name, reason, message) => {
    const port = await secured(name);
    const target = `https://127.0.0.1:${port}/`;
    const result = await look('http', { target }, { authorities });
    expect(result).toMatchObject({ status: 'unhealthy', reason });
    expect(result.message).toMatch(message);
    expect(result.summary).toBe(`http ${reason.replaceAll('-', ' ')}`);
    const unverified = await look('http', { target, options: { verifyTls: false } }, { authorities });
    expect(unverified.status).toBe('healthy');
  });

  it('explains an authority that it does not know', async () => {
    const port = await secured('valid');
    const result = await look('http', { target: `https://127.0.0.1:${port}/` });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'tls-untrusted' });
  });

  it('explains a server that does not speak TLS', async () => {
    const port = await saying('HTTP/1.1 400 Bad Request\r\n\r\n');
    const result = await look('http', { target: `https://127.0.0.1:${port}/` });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'tls-not-spoken' });
    expect(result.message).toContain('use http://');
  });

  it('explains a connection dropped in the middle of the handshake', async () => {
    const port = await saying('');
    const result = await look('http', { target: `https://127.0.0.1:${port}/` });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'connection-reset' });
  });

  it('times out in a handshake that nobody answers', async () => {
    const port = await hungServer({ full: false });
    const result = await look('http', { target: `https://127.0.0.1:${port}/`, timeoutMs: 200 });
    expect(result.message).toBe('HTTP timeout (0.2s)');
  });

  it('asked for in plain HTTP is explained', async () => {
    // what many TLS servers say to plain HTTP: an alert record
    const port = await listening(createTcpServer((socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 10]))));
    const result = await look('http', { target: `http://127.0.0.1:${port}/` });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'not-http' });
    expect(result.message).toContain('use https://');
  });
});
