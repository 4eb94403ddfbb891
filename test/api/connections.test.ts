import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiUnderTest, OPERATOR_TOKEN, startApiUnderTest } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApiUnderTest();
});
afterAll(() => api.close());

/** A connection to the API, and all that it has answered on it. */
function connected(options: { allowHalfOpen?: boolean } = {}): {
  socket: Socket;
  answered: () => string;
  ended: Promise<void>;
} {
  const { hostname, port } = new URL(api.url);
  const socket = connect({ ...options, port: Number(port), host: hostname });
  let answered = '';
  socket.setEncoding('latin1').on('data', (text) => {
    answered += text;
  });
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, answered: () => answered, ended };
}

const statusesOf = (answers: string) => [...answers.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);

describe('A body without end', () => {
  it.each([
    ['POST /api/vms', '401'],
    ['GET /health', /200|503/],
    ['OPTIONS /api/vms', '204'],
    ['POST /nowhere', '404'],
    ['POST /api/vms with a right token', '413'],
  ])('to %s ends its connection after the answer', async (request, status) => {
    const { socket, answered, ended } = connected();
    const [method, path, ...withToken] = request.split(' ');
    const token =
      withToken.length > 0 ? `Authorization: Bearer ${OPERATOR_TOKEN}\r\nContent-Type: application/json\r\n` : '';
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\n${token}Transfer-Encoding: chunked\r\n\r\n`);
    const sending = setInterval(() => socket.write('1\r\nx\r\n'.repeat(500)), 5);
    await ended;
    clearInterval(sending);
    expect(answered()).toMatch(/^HTTP\/1\.1 /);
    expect(statusesOf(answered())[0]).toMatch(status);
  });

  it('is not read on while the connection ends', async () => {
    const { socket, ended } = connected({ allowHalfOpen: true });
    socket.write('POST /api/vms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunks = `8000\r\n${'x'.repeat(0x8000)}\r\n`.repeat(8);
    const send = () => {
      while (socket.writable && socket.write(chunks));
    };
    socket.on('drain', send);
    send();
    await ended;
    // it goes on sending after the API has ended its side; what the buffers of both ends hold
    expect(socket.bytesWritten).toBeLessThan(16 * 1024 * 1024);
  });

  it('that says that it is too large is refused before it comes', async () => {
    const { socket, answered, ended } = connected();
    const headers = `Host: x\r\nAuthorization: Bearer ${OPERATOR_TOKEN}\r\nContent-Type: application/json`;
    socket.write(`POST /api/vms HTTP/1.1\r\n${headers}\r\nContent-Length: 2000000\r\n\r\n`);
    await ended;
    expect(statusesOf(answered())).toEqual(['413']);
  });

  it('leaves the connection of those whose bodies are whole', async () => {
    const { socket, answered } = connected();
    for (let i = 1; i <= 3; i++) {
      socket.write('POST /api/vms HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
      await expect.poll(() => statusesOf(answered())).toHaveLength(i);
    }
    socket.destroy();
  });
});

describe('A body of 900 KB', () => {
  const LENGTH = 900_000;
  const head = (token: string) =>
    `POST /api/vms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${LENGTH}\r\n\r\n`;

  it('is read no further once it is refused', async () => {
    const { socket, answered, ended } = connected();
    socket.write(head('wrong'));
    await ended;
    expect(statusesOf(answered())).toEqual(['401']);
    expect(answered()).toMatch(/connection: close/i);
  });

  it('leaves its connection when it was read', async () => {
    const { socket, answered } = connected();
    const request = head(OPERATOR_TOKEN) + 'x'.repeat(LENGTH);
    for (let i = 1; i <= 2; i++) {
      socket.write(request);
      await expect.poll(() => statusesOf(answered())).toEqual(Array.from({ length: i }, () => '400'));
    }
    socket.destroy();
  });
});

describe('Requests that do not wait for the answers before them', () => {
  const requests = (count: number) => 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count);

  it('are counted at once, and not for as long as a connection lasts', async () => {
    const { socket, answered } = connected();
    for (let i = 1; i <= 40; i++) {
      socket.write(requests(1));
      await expect.poll(() => statusesOf(answered()), { interval: 2 }).toHaveLength(i);
    }
    socket.destroy();
  });

  it('are answered while they are few', async () => {
    const { socket, answered } = connected();
    socket.write(requests(20));
    await expect.poll(() => statusesOf(answered())).toHaveLength(20);
    socket.destroy();
  });

  it('end their connection when they are many, and the rest is not looked at', async () => {
    const before = api.logged().length;
    const { socket, answered, ended } = connected();
    socket.write(requests(1_500));
    await ended;
    expect(statusesOf(answered()).length).toBeLessThanOrEqual(30);
    expect(api.logged().slice(before).split('\n').length).toBeLessThan(100);
  });
});

describe('A path of 16 KB', () => {
  it.each(['GET /', 'PUT /api/vms/'])('is not repeated whole: %s…', async (request) => {
    const { socket, answered, ended } = connected();
    socket.write(`${request}${'"'.repeat(16_200)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await ended;
    expect(statusesOf(answered())[0]).toMatch(/404|405/);
    expect(answered().length).toBeLessThan(8_000);
  });
});
