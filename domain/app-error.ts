/** What kind of refusal this is; each transport has its own number for it. */
export type AppErrorCode =
  | 'bad-request'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'conflict'
  | 'too-large'
  | 'unsupported-media-type'
  | 'too-many-requests'
  | 'unavailable';

/** One thing that is wrong with what was sent; `path` is dotted, e.g. `checks.0.target`, and '' for the whole. */
export interface Problem {
  path: string;
  message: string;
}

/** A refusal with a message that says what to do next. It is shown to whoever asked: it holds no secrets. */
export class AppError extends Error {
  readonly code: AppErrorCode;
  readonly problems: readonly Problem[];
  readonly retryAfterSeconds: number | null;

  constructor(
    code: AppErrorCode,
    message: string,
    more: { cause?: unknown; problems?: readonly Problem[]; retryAfterSeconds?: number } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = 'AppError';
    this.code = code;
    this.problems = more.problems ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
  }
}
