/** A VM as its provider names it. Shape by kind; validated when it was stored. */
export type ProviderReference = { kind: 'qemu'; qmpSocket: string } | { kind: 'local' };
