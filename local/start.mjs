// `npm start` and, with --watch, `npm run dev`. Everything else is in main.ts, which needs the npm packages.
import { bootstrap } from './bootstrap.mjs';
import { runForeground } from './child.mjs';

bootstrap();
const args = process.argv.slice(2);
const watch = args.includes('--watch') ? ['--watch', '--watch-preserve-output'] : [];
const passed = args.filter((arg) => arg !== '--watch');
process.exitCode = await runForeground(process.execPath, [...watch, '--import', 'tsx', 'local/main.ts', ...passed]);
