import { describe, expect, it } from 'vitest';
import type { CheckSettings } from '../../checks/check.ts';
import { createCheckRules } from '../../checks/registry.ts';

const { aim } = createCheckRules({ allow: ['0.0.0.0/0'], ownPorts: new Set() });
const HERE = '192.0.2.7';
const THERE = '192.0.2.8';
const check = (checkType: string, target: string | null = null, options: CheckSettings['options'] = {}) => {
  return { checkType, target, options };
};

describe('the aim of a check', () => {
  it.each<[string, CheckSettings, CheckSettings]>([
    ['its type', check('tcp', '22'), check('ping')],
    ['its target', check('tcp', '22'), check('tcp', '23')],
    ['its path', check('http', '/up'), check('http', '/down')],
    ['its options', check('http', '/'), check('http', '/', { followRedirects: true })],
    ['the value of an option', check('http', '/', { verifyTls: true }), check('http', '/', { verifyTls: false })],
  ])('changes with %s', (_what, before, after) => {
    expect(aim(after, HERE)).not.toBe(aim(before, HERE));
  });

  it.each<[string, CheckSettings]>([
    ['ping', check('ping')],
    ['tcp', check('tcp', '22')],
    ['http of a path', check('http', '/up')],
  ])("changes with the VM's address where it uses that: %s", (_what, one) => {
    expect(aim(one, THERE)).not.toBe(aim(one, HERE));
    expect(aim(one, null)).not.toBe(aim(one, HERE));
  });

  it.each<[string, CheckSettings]>([
    ['agent', check('agent')],
    ['http of a URL', check('http', `http://${HERE}:8080/up`)],
  ])("stays with another address of the VM where it doesn't: %s", (_what, one) => {
    expect(aim(one, THERE)).toBe(aim(one, HERE));
  });

  it('is the same however its options are ordered, and for no target and an empty one', () => {
    const one = check('http', '/', { followRedirects: true, verifyTls: false });
    const other = check('http', '/', { verifyTls: false, followRedirects: true });
    expect(aim(other, HERE)).toBe(aim(one, HERE));
    expect(aim(check('ping', ''), HERE)).toBe(aim(check('ping'), HERE));
  });

  it('is there for a type that this version does not know, and shows nothing of what is set', () => {
    expect(aim(check('dns', 'secret.example'), HERE)).toMatch(/^[0-9a-f]{32}$/);
    expect(aim(check('dns', 'a'), HERE)).not.toBe(aim(check('dns', 'b'), HERE));
  });
});
