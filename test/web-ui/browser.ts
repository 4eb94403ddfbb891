import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A page as it is drawn, and as its words. */
export interface Picture {
  png: Buffer;
  text: string;
}

export interface Browser {
  /**
   * The page once these words are on it; before that, the elements of these CSS selectors are clicked, as they come.
   * @throws Error where something does not come within 20 s
   */
  picture(url: string, words: string, clicks?: readonly string[]): Promise<Picture>;
  close(): Promise<void>;
}

interface Answer {
  id?: number;
  sessionId?: string;
  result?: Record<string, unknown>;
  error?: { message: string };
}

const WAIT_MS = 20_000;
const LOOK_EVERY_MS = 250;
/** Until fonts and icons are drawn. */
const SETTLE_MS = 750;

/**
 * A headless Chromium of that path. It is spoken to by the DevTools protocol over a pipe, so that no package is needed:
 * https://chromedevtools.github.io/devtools-protocol/
 */
export async function startBrowser(path: string): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'defib-browser-'));
  const child = spawn(
    path,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-pipe',
      '--window-size=1600,1300',
      `--user-data-dir=${folder}`,
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const send = speak(child.stdio[3] as Writable, child.stdio[4] as Readable, ended);

  async function picture(url: string, words: string, clicks: readonly string[] = []): Promise<Picture> {
    const { targetId } = await send('Target.createTarget', { url });
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    const session = String(sessionId);
    for (const selector of clicks) await click(session, selector);
    const text = await untilOn(session, words);
    await sleep(SETTLE_MS);
    const { data } = await send('Page.captureScreenshot', { format: 'png' }, session);
    await send('Target.closeTarget', { targetId });
    return { png: Buffer.from(String(data), 'base64'), text };
  }

  async function evaluate(session: string, expression: string): Promise<unknown> {
    const { result } = await send('Runtime.evaluate', { expression }, session);
    return (result as { value?: unknown }).value;
  }

  async function click(session: string, selector: string): Promise<void> {
    const element = `document.querySelector(${JSON.stringify(selector)})`;
    const clicked = `{ const found = ${element}; found?.click(); found !== null }`;
    for (const untilMs = Date.now() + WAIT_MS; (await evaluate(session, clicked)) !== true; ) {
      if (Date.now() > untilMs) throw new Error(`The page has no ${selector}.`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async function untilOn(session: string, words: string): Promise<string> {
    const untilMs = Date.now() + WAIT_MS;
    for (;;) {
      const text = String((await evaluate(session, 'document.body?.innerText ?? ""')) ?? '');
      if (text.includes(words)) return text;
      if (Date.now() > untilMs) throw new Error(`The page does not say "${words}". It says:\n${text}`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  return {
    picture,
    async close() {
      await send('Browser.close', {}).catch(() => undefined);
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

type Send = (method: string, params: Record<string, unknown>, sessionId?: string) => Promise<Record<string, unknown>>;

function speak(to: Writable, from: Readable, ended: Promise<void>): Send {
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  let last = 0;
  let unread = '';
  from.setEncoding('utf8').on('data', (text: string) => {
    const messages = (unread + text).split('\0');
    unread = messages.pop() ?? '';
    for (const message of messages) {
      const answer = JSON.parse(message) as Answer;
      if (answer.id !== undefined) waiting.get(answer.id)?.resolve(answer);
    }
  });
  to.on('error', () => undefined);
  void ended.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('The browser has ended.'));
  });
  return async (method, params, sessionId) => {
    const id = ++last;
    const answered = new Promise<Answer>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
    to.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    const { result = {}, error } = await answered;
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  };
}
