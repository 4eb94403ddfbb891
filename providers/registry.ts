import { local } from './local/kind.ts';
import { none } from './none/kind.ts';
import type { ProviderKind } from './provider.ts';
import { qemu } from './qemu/kind.ts';

/** Every kind of hypervisor. A new one is a folder here and a name in this list. */
export const PROVIDER_KINDS: readonly ProviderKind[] = [qemu, none, local];
