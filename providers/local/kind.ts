import { OPERATORS } from '../../domain/roles.ts';
import { watchedOnly } from '../watched-only.ts';

/** The machine that Defib runs on, registered once. It can be looked at; its power is never touched. */
export const local = watchedOnly({
  kind: 'local',
  namedBy: { roles: OPERATORS, refusal: 'Only operators may register the machine that Defib runs on.' },
  key: 'local',
  detail: 'this machine',
  refusal:
    'This VM is the machine Defib itself runs on: resetting or stopping it would end Defib before it could see the outcome. ' +
    'Restart it by hand, or let a Defib on another machine watch it.',
});
