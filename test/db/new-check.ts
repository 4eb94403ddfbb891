import type { NewCheck } from '../../db/fleet/vm-registration.ts';

/** A check as somebody sets it. */
export const newCheck: NewCheck = {
  checkType: 'tcp',
  name: '',
  target: '22',
  intervalSeconds: 60,
  failureThreshold: 3,
  successThreshold: 1,
  options: {},
  enabled: true,
};
