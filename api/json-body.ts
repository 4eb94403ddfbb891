import express, { type Request, type Response } from 'express';
import { requireModestShape } from './json-shape.ts';
import { requireUtf8 } from './require-utf8.ts';

const parse = express.json({
  limit: '1mb',
  strict: false,
  verify(_request, _response, body, charset) {
    requireUtf8(body, charset);
    requireModestShape(body);
  },
});

/**
 * Reads a request's JSON into `request.body`. Called once its sender is known and may send this: nobody without a token makes
 * the process parse anything.
 * @throws AppError, or the error of Express's parser, when the body is too large, not modest in shape or not JSON
 */
export function readJsonBody(request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    parse(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
  });
}
