// `npm run check:walls`: judges what dependency-cruiser says, as JSON, of the import walls (.dependency-cruiser.cjs).
import { json } from 'node:stream/consumers';

/** With a room of which no module was seen dependency-cruiser finds no fault, whatever it imports. */
const ROOMS = 'domain workflows activities checks providers temporal api db workers local bench test'.split(' ');

const { modules, summary } = await json(process.stdin);
const broken = summary.violations.map(({ rule, from, to, cycle }) => {
  return `${rule.name}: ${from} → ${cycle ? cycle.map(({ name }) => name).join(' → ') : to}`;
});
const seen = ROOMS.map((room) => ({
  room,
  count: modules.filter(({ source }) => source.startsWith(`${room}/`)).length,
}));
const unseen = seen.filter(({ count }) => count === 0).map(({ room }) => `no module seen in ${room}/`);
const faults = [...broken, ...unseen];
process.stdout.write(`${seen.map(({ room, count }) => `${room} ${count}`).join(', ')} modules seen\n`);
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
