/** What can be done to a VM's power through its hypervisor. `resume` continues a paused VM with its memory. */
export type PowerAction = 'reset' | 'reboot' | 'shutdown' | 'stop' | 'start' | 'resume';

/** How a VM is at its hypervisor. */
export type PowerState =
  | 'running'
  /** Frozen with its memory, by somebody or something outside the guest. */
  | 'paused'
  | 'off'
  /** The guest's kernel has crashed, its watchdog has expired, or its emulation has failed. */
  | 'panicked'
  /** The guest writes the dump of its crash. */
  | 'dumping'
  /** Stopped because its disks failed. */
  | 'storage-failed'
  /** These pass by themselves, or were caused by a person. */
  | 'suspended'
  | 'saving'
  | 'restoring'
  | 'migrating'
  | 'debugging'
  | 'starting'
  /** The hypervisor names a state that Defib does not know. */
  | 'unknown';

/** A VM's state at its hypervisor, and since when every answer has named it. */
export interface PowerReading {
  state: PowerState;
  sinceMs: number;
  /** The state before that; null = none was read, or a remedy was done since and did not change it. */
  before: PowerState | null;
}

/**
 * Whether an action that may have been sent was carried out, by the VM's state at its hypervisor, read once nothing can be sent
 * any more.
 */
export interface ReadBack {
  verdict: 'acted' | 'not-acted' | 'cannot-tell';
  /** The hypervisor's own words. */
  detail: string;
}
