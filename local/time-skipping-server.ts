import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TimeSkippingTestWorkflowEnvironmentOptions } from '@temporalio/testing';
import { cacheFolder, makeOnce } from './cache-folder.ts';
import { firstLineOf, StartError } from './start-error.ts';

const run = promisify(execFile);

const VERSION = '1.31.0';
const LEAST_JAVA = 11;

/** A server in which time is skipped, ready for TestWorkflowEnvironment.createTimeSkipping. */
export type TimeSkippingServer = Required<Pick<TimeSkippingTestWorkflowEnvironmentOptions, 'server'>>;

export interface FindTimeSkippingOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** Gets one line for every way that failed, and why; and for slow steps. */
  readonly log?: (line: string) => void;
}

/**
 * Gets Temporal's test server with virtual time: from Defib's cache, by the SDK's download, or as jars by Maven.
 * Several processes may call this at once.
 * @throws StartError that says what is missing.
 */
export async function findTimeSkippingServer(options: FindTimeSkippingOptions = {}): Promise<TimeSkippingServer> {
  const { environment = process.env, log = () => undefined } = options;
  const folder = join(cacheFolder(environment), 'temporal-test-server');
  const jars = join(folder, VERSION);
  const missing: string[] = [];
  const explain = (line: string) => {
    missing.push(line);
    log(`Virtual time: ${line}.`);
  };
  const java = await whyNoJava(environment);
  if (existsSync(jars) && java === undefined) return serverAt(join(jars, 'temporal-test-server'));
  const downloads = join(folder, 'download');
  const kept = programsIn(downloads)[0];
  if (kept !== undefined) return serverAt(kept);
  const downloaded = await download(downloads, explain);
  if (downloaded !== undefined) return serverAt(downloaded);
  if (java === undefined) {
    try {
      await makeOnce(jars, (workFolder) => copyJars(workFolder, jars, environment, log), log);
      return serverAt(join(jars, 'temporal-test-server'));
    } catch (error) {
      explain(whyNoJars(error));
    }
  } else {
    explain(java);
  }
  throw new StartError(`no test server with virtual time: ${missing.join('; ')}`);
}

function serverAt(path: string): TimeSkippingServer {
  return { server: { executable: { type: 'existing-path', path } } };
}

/** The SDK offers no download without a start, so it starts one, and what it has fetched is then in the folder. */
async function download(folder: string, explain: (line: string) => void): Promise<string | undefined> {
  try {
    mkdirSync(folder, { recursive: true });
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const server = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'cached-download', downloadDir: folder } },
    });
    await server.teardown();
    const path = programsIn(folder)[0];
    if (path === undefined) throw new Error(`nothing arrived in ${folder}`);
    return path;
  } catch (error) {
    explain(`the SDK's download failed (${firstLineOf(error).split(': ').slice(-2).join(': ')})`);
    return undefined;
  }
}

async function copyJars(
  workFolder: string,
  target: string,
  environment: NodeJS.ProcessEnv,
  log: (line: string) => void,
): Promise<void> {
  log(`Virtual time: fetching io.temporal:temporal-test-server:${VERSION} with Maven, once …`);
  const pom = join(workFolder, 'pom.xml');
  writeFileSync(pom, POM);
  await run(
    'mvn',
    ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${join(workFolder, 'lib')}`],
    {
      env: environment,
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const wrapper = join(workFolder, 'temporal-test-server');
  writeFileSync(wrapper, WRAPPER);
  chmodSync(wrapper, 0o755);
  renameSync(workFolder, target);
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>temporal-test-server-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/** One worker's load at most: a small heap and the quick compiler start sooner and leave the cores to the tests. */
const WRAPPER = `#!/bin/sh
exec java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

async function whyNoJava(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    // It writes its version to stderr, as "11.0.2" or, before 9, as "1.8.0".
    const { stderr } = await run('java', ['-version'], { env: environment });
    const major = Number(stderr.match(/version "(\d+)/)?.[1]);
    return major >= LEAST_JAVA ? undefined : `Java is older than ${LEAST_JAVA}`;
  } catch {
    return `no Java ${LEAST_JAVA} or newer on PATH`;
  }
}

function whyNoJars(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'no Maven (mvn) on PATH';
  const said = (error as { stdout?: string }).stdout?.split('\n').find((line) => line.startsWith('[ERROR]'));
  return `Maven could not fetch it (${said?.replace('[ERROR] ', '') ?? firstLineOf(error)})`;
}

function programsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
