/** What can be done to a VM's power through its hypervisor. `resume` lets a paused VM run on, with its memory. */
export type PowerAction = 'reset' | 'reboot' | 'shutdown' | 'stop' | 'start' | 'resume';

/** How a VM is at its hypervisor. */
export type PowerState =
  | 'running'
  /** Frozen with its memory, by somebody or something outside the guest. */
  | 'paused'
  | 'off'
  /** The guest's kernel has given up, its watchdog has barked, or its emulation has failed. */
  | 'panicked'
  /** The guest writes the dump of its crash. */
  | 'dumping'
  /** Stopped because its disks failed. */
  | 'storage-failed'
  /** These pass by themselves, or are somebody's business. */
  | 'suspended'
  | 'saving'
  | 'restoring'
  | 'migrating'
  | 'debugging'
  | 'starting'
  /** The hypervisor answered, but not in words that we can read. */
  | 'unknown';

/** A VM's state at its hypervisor, and since when every answer named it. */
export interface PowerReading {
  state: PowerState;
  sinceMs: number;
  /** The state before that; null = none was read. */
  before: PowerState | null;
}

/** What a hypervisor's state says of an action that may have been sent, read when nothing is sent any more. */
export interface ReadBack {
  verdict: 'acted' | 'not-acted' | 'cannot-tell';
  /** In what words. */
  detail: string;
}
