import { PEOPLE } from '../../domain/roles.ts';
import { watchedOnly } from '../watched-only.ts';

/** No hypervisor: a physical machine, or a VM of somebody else's. It is looked at and people are told; it is never power-cycled. */
export const none = watchedOnly({
  kind: 'none',
  namedBy: { roles: PEOPLE, refusal: '' },
  key: null,
  detail: 'no hypervisor to ask',
  refusal:
    'This VM has no hypervisor that Defib knows (provider none), so its power is never touched. Restart it by hand, or name its ' +
    'hypervisor as its provider.',
});
