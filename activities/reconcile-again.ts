import { Context } from '@temporalio/activity';
import type { Dependencies } from './dependencies.ts';
import { reconcile } from './reconcile.ts';
import { steady } from './steady.ts';

const HEARTBEAT_EVERY_MS = 5_000;

/**
 * Reconciles as one attempt of an activity whose retries are the times to come. Its heartbeats say that it goes on: when its
 * worker is lost, another one soon takes over.
 */
export async function reconcileAgain(deps: Dependencies, everyMs: number): Promise<{ line: string; mended: number }> {
  const context = Context.current();
  const beganAtMs = performance.now();
  const beating = setInterval(() => context.heartbeat(), HEARTBEAT_EVERY_MS);
  try {
    const done = await reconcile(deps);
    if (done.mended > 0) return done;
    throw steady(done.line, everyMs - (performance.now() - beganAtMs));
  } finally {
    clearInterval(beating);
  }
}
