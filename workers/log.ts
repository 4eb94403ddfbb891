import { type Logger, pino } from 'pino';
import type { Settings } from '../domain/settings.ts';

/** Logs of one process, as JSON lines on stderr. What could be a secret is cut out wherever it stands. */
export function createLog(settings: Pick<Settings, 'LOG_LEVEL'>, name: string): Logger {
  return pino(
    {
      name,
      level: settings.LOG_LEVEL,
      redact: {
        paths: ['*.authorization', '*.token', '*.password', '*.secret', 'token', 'password', 'secret'],
        remove: true,
      },
    },
    pino.destination({ dest: 2, sync: false }),
  );
}
