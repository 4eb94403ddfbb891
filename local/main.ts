import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Settings } from '../domain/settings.ts';
import { type GivenConnections, givenConnections, settingsError } from '../workers/connections.ts';
import { createLog } from '../workers/log.ts';
import { configHomes, readSettings } from '../workers/read-settings.ts';
import { runProcess } from '../workers/run-process.ts';
import { runUntilStopped, stopSignal } from '../workers/run-until-stopped.ts';
import { startApiServer } from '../workers/start-api-server.ts';
import { firstLineOf, StartError } from '../workers/start-error.ts';
import { adminToken } from './admin-token.ts';
import { makeFolder, NEEDED_AT_FIRST_MEGABYTES, NEEDED_LATER_MEGABYTES, prepareDataFolder } from './data-folder.ts';
import { environment, readEnvFile } from './environment.mjs';
import { claimFolder } from './folder-claim.ts';
import { equalPorts, portsInUse } from './own-ports.ts';
import { startParts } from './parts.ts';
import { requireFreePort } from './ports.ts';
import { watchThisMachine } from './this-machine.ts';

const PARENT_CHECK_MS = 500;

/** `npm start`: all of Defib on this machine, on loopback, with data in one folder. */
async function main(): Promise<void> {
  const stopRequested = Promise.race([stopSignal(), endOfNpm()]);
  const beganAtMs = Date.now();
  const fromFile = settingsFromFile();
  if (fromFile !== undefined) say(fromFile);
  const settings = forThisMachine(readSettings());
  const dataDir = settings.DEFIB_DATA_DIR;
  const given = givenConnections(settings, configHomes());
  const problems = [...given.problems, ...equalPorts(settings, portsInUse(given)), ...folderProblems(settings, given)];
  if (problems.length > 0) throw settingsError(problems);

  say('Starting Postgres and Temporal …');
  await requireFreePort(settings.PORT, 'PORT', 'The API');
  const releaseFolder = claimFolder(dataDir);
  const parts = startParts(settings, given, dataDir, say, warn);
  const ends: (() => Promise<void> | void)[] = [releaseFolder, parts.stop];
  const endAll = async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  };
  try {
    const { connections, uiUrl, cli } = await parts.servers;
    const admin = adminToken(dataDir, settings.DEFIB_ADMIN_TOKEN);
    const api = await startApiServer(settings, connections, createLog(settings, 'defib-api'), admin.token);
    ends.push(() => api.close());
    const machine = await watchThisMachine(api.url, admin.token, dataDir);
    ends.push(() => machine.stop());
    await parts.worker;
    say(`
Defib is ready (${((Date.now() - beganAtMs) / 1000).toFixed(1)} s)
  API      ${api.url}        try it in the browser: ${api.url}/docs
  Web UI   ${uiUrl ?? 'that of the Temporal server you named'}        every VM is a workflow, vm/<id>${cli === null ? '' : `\n  CLI      ${cli} workflow list`}
  Token    ${admin.howToGetIn}
`);
    void machine.healthy.then((healthy) =>
      say(
        healthy
          ? 'This machine is registered as the first VM and healthy.'
          : 'This machine is not healthy after a minute: see GET /api/vms.',
      ),
    );
    await runUntilStopped(stopRequested, [parts.givenUp()], async () => {
      say('Stopping …');
      await endAll();
      say('Stopped; the data is kept.');
    });
  } finally {
    await endAll();
  }
}

/** Reads the file of settings in the current folder, which is the checkout's own under npm. @returns a line about it. */
function settingsFromFile(): string | undefined {
  try {
    return readEnvFile('.env');
  } catch (cause) {
    throw new StartError(`.env can't be read: ${firstLineOf(cause)}.`, { cause });
  }
}

function folderProblems(settings: Settings, { databaseUrl, temporal }: GivenConnections): string[] {
  const { DEFIB_DATA_DIR: dataDir, QMP_SOCKET_DIRS: others } = settings;
  const isFirst = !existsSync(join(dataDir, 'admin-token'));
  const needed = isFirst ? NEEDED_AT_FIRST_MEGABYTES : NEEDED_LATER_MEGABYTES;
  const ownServers = databaseUrl === undefined || temporal === undefined;
  const problem = prepareDataFolder(dataDir, ownServers ? needed : 1);
  if (problem !== null) return [`DEFIB_DATA_DIR: ${dataDir} can't be used: ${problem}`];
  return others.flatMap((folder) => {
    const reason = makeFolder(folder);
    return reason === null ? [] : [`QMP_SOCKET_DIRS: ${folder} can't be made: ${reason}`];
  });
}

/** npm passes SIGTERM on to the shell that runs this process; a shell that dies of it does not pass it on. */
async function endOfNpm(): Promise<void> {
  const parent = process.ppid;
  await new Promise<void>((resolve) => {
    if (environment.npm_lifecycle_event === undefined) return;
    const watch = () => process.ppid !== parent && resolve();
    setInterval(watch, PARENT_CHECK_MS).unref();
  });
}

/** What a first user of one machine needs: checks may reach this machine, and QMP sockets lie in the data folder. */
function forThisMachine(settings: Settings): Settings {
  const dataDir = resolve(settings.DEFIB_DATA_DIR);
  return {
    ...settings,
    DEFIB_DATA_DIR: dataDir,
    QMP_SOCKET_DIRS: settings.QMP_SOCKET_DIRS.length > 0 ? settings.QMP_SOCKET_DIRS : [join(dataDir, 'qmp')],
    LOG_LEVEL: environment.LOG_LEVEL ? settings.LOG_LEVEL : 'warn',
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function warn(line: string): void {
  process.stderr.write(`${line}\n`);
}

await runProcess(main);
process.exit(0);
