/** What can be done to a VM's power through its hypervisor. */
export type PowerAction = 'reset' | 'reboot' | 'shutdown' | 'stop' | 'start';
