import type { Client } from '@temporalio/client';

/** Where the workflows of a play run, in virtual time. */
export interface Host {
  client: Client;
  nowMs(): Promise<number>;
  /** For activities and what they call. */
  sleep(ms: number): Promise<void>;
  /** For the play itself: lets time pass. */
  passTime(ms: number): Promise<void>;
  /** Whether workers of sites take what waits for them. */
  setManned(isManned: boolean): void;
  /** After a fault has ended: waits in real time until `isOver`, however little virtual time passes. */
  settle(isOver: () => Promise<boolean>): Promise<void>;
  /** Workflows that failed, and why. */
  failures(): readonly string[];
}
