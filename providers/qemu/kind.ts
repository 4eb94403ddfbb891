import { z } from 'zod';
import { ADMINS, OPERATORS } from '../../domain/roles.ts';
import type { ProviderKind } from '../provider.ts';
import { QEMU_ACTIONS } from './qemu-action.ts';
import { createQemuProvider, qemuReference } from './qemu-provider.ts';

/**
 * The QEMU processes of one site, each with a QMP socket in a folder of QMP_SOCKET_DIRS of that site's workers. Sockets
 * are files of a machine: only administrators name them.
 */
export const qemu: ProviderKind<Record<string, never>, null> = {
  kind: 'qemu',
  reference: qemuReference,
  example: { kind: 'qemu', qmpSocket: '/path' },
  namedBy: {
    roles: ADMINS,
    refusal: 'Only administrators may set provider.qmpSocket: it is a file of the host.',
  },
  managedBy: OPERATORS,
  actions: QEMU_ACTIONS,
  config: z.strictObject({}),
  credentials: z.null(),
  fromSettings: () => ({ config: {}, credentials: null }),
  connect: (_setup, { site, settings }) => createQemuProvider({ qmpSocketDirs: settings.QMP_SOCKET_DIRS, site }),
};
