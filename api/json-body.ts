import express, { type Request, type Response } from 'express';
import { AppError } from '../domain/app-error.ts';
import { requireModestShape } from './json-shape.ts';
import { requireUtf8 } from './require-utf8.ts';

const MAX_BYTES = 1024 * 1024;
/** Each chunk costs a call and some memory, whatever is in it: so many bytes it counts at least. */
const MIN_CHUNK_BYTES = 64;

const parse = express.json({
  limit: MAX_BYTES,
  strict: false,
  verify(_request, _response, body, charset) {
    requireUtf8(body, charset);
    requireModestShape(body);
  },
});

/**
 * Reads a request's JSON into `request.body`. Called once its sender is known and may send this: nobody without a token makes
 * the process parse anything. A body that is too large is refused at once, where Express would first read it to its end.
 * @throws AppError, or the error of Express's parser, when the body is too large, not modest in shape or not JSON
 */
export function readJsonBody(request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    if (Number(request.get('content-length') ?? 0) > MAX_BYTES) return reject(tooLarge());
    let bytes = 0;
    const count = (chunk: Buffer) => {
      bytes += Math.max(chunk.length, MIN_CHUNK_BYTES);
      if (bytes > MAX_BYTES) reject(tooLarge());
    };
    parse(request, response, (error?: unknown) => {
      request.off('data', count);
      if (error === undefined) resolve();
      else reject(error as Error);
    });
    request.on('data', count);
  });
}

function tooLarge(): AppError {
  return new AppError('too-large', 'The body is larger than 1 MB; send less at once.');
}
