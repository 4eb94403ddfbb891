import { AppError } from '../domain/app-error.ts';
import { StartError } from './start-error.ts';

/**
 * Runs a process from its start to its end. What a person can put right ends it with what the error says and exit code 1; what
 * nobody expected, with its stack.
 */
export async function runProcess(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${linesOf(error)}\n`);
    // connections that are still being made would keep it
    process.exit(1);
  }
}

/** A disk that is full or read-only, or a port that is taken, is no fault of the code: its line says what could not be done, and where. */
const OF_MACHINE = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EADDRINUSE', 'EADDRNOTAVAIL']);

function linesOf(error: unknown): string {
  if (error instanceof StartError || error instanceof AppError) return error.message;
  if (error instanceof Error && 'syscall' in error && 'code' in error && OF_MACHINE.has(String(error.code))) {
    return error.message;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
