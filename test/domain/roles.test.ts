import { expect, it } from 'vitest';
import { ADMINS, OPERATORS, PEOPLE, REPORTERS, ROLES, type Role } from '../../domain/roles.ts';

it.each<[Role, may: object]>([
  ['OPERATOR', { people: true, admins: true, operators: true, reporters: true }],
  ['ADMIN', { people: true, admins: true, operators: false, reporters: true }],
  ['USER', { people: true, admins: false, operators: false, reporters: false }],
  ['AGENT', { people: false, admins: false, operators: false, reporters: true }],
])('%s may do what these groups may', (role, may) => {
  const groups = { people: PEOPLE, admins: ADMINS, operators: OPERATORS, reporters: REPORTERS };
  const found = Object.entries(groups).map(([group, members]) => [group, members.includes(role)]);
  expect(Object.fromEntries(found)).toEqual(may);
});

it('groups name roles that there are, each once', () => {
  for (const group of [PEOPLE, ADMINS, OPERATORS, REPORTERS]) {
    expect(ROLES.filter((role) => group.includes(role))).toHaveLength(group.length);
  }
});
