// Runs the project's tasks under the Node that package.json pins, whichever Node started this file.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(new URL('..', import.meta.url)));
const pinned = `v${JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).dependencies.node}`;

const module = (...parts) => path.join('node_modules', ...parts);
const tsc = module('typescript7', 'bin', 'tsc');
const build = [[tsc, '-p', 'tsconfig.build.json']];
/** As in the image (docker/Dockerfile): less memory for young objects than V8 would take (docs/reference/performance.md). */
const serviceFlags = ['--max-semi-space-size=16'];

/** Each task: the steps, run in order until one fails. What the user adds goes to the last one. */
const tasks = {
  build,
  start: [...build, [...serviceFlags, 'dist/apps/claims-api/src/main.js']],
  mappings: [...build, ['--enable-source-maps', 'dist/apps/claims-api/src/mappings.js']],
  demo: [...build, ['--enable-source-maps', 'dist/apps/demo/src/main.js']],
  claimbridge: [...build, ['--enable-source-maps', 'dist/apps/cli/src/main.js']],
  simulator: [...build, ['--enable-source-maps', 'dist/apps/entra-simulator/src/main.js']],
  test: [...build, [module('vitest', 'vitest.mjs'), 'run']],
  fuzz: [...build, ['--expose-gc', '--import', './tools/resolve-typescript.mjs', 'test/fuzz/main.ts']],
  figures: [...build, ['--import', './tools/resolve-typescript.mjs', 'test/figures/ldap.ts']],
  bench: [
    ...build,
    [tsc, '-p', 'test/bench/tsconfig.json'],
    ['--import', './tools/resolve-typescript.mjs', 'test/bench/main.ts'],
  ],
  scale: [...build, ['--import', './tools/resolve-typescript.mjs', 'test/scale/main.ts']],
  schema: [...build, ['tools/write-schemas.mjs']],
  format: [[module('oxfmt', 'bin', 'oxfmt'), '.']],
  check: [
    [tsc, '-p', 'tsconfig.json'],
    [module('oxlint', 'bin', 'oxlint'), '--deny-warnings'],
    [module('oxfmt', 'bin', 'oxfmt'), '--check', '.'],
    [
      module('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
      '--config',
      '.dependency-cruiser.mjs',
      'apps',
      'libs',
      'test',
    ],
    ['tools/lint-docker.mjs'],
    [module('knip', 'bin', 'knip.js')],
  ],
};

const [task, ...more] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task ?? '')) fail(`There is no task ${task ?? ''}; there are ${Object.keys(tasks).join(', ')}.`);

const node = pinnedNode();
const environment = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}` };
// The command line is used beside a running service, whose files must not vanish.
if (!['build', 'claimbridge'].includes(task) && tasks[task][0] === build[0])
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
for (const [index, step] of tasks[task].entries()) {
  const last = index === tasks[task].length - 1;
  const { code, signal } = await run(step, last ? more : []);
  if (signal) process.kill(process.pid, signal);
  if (code !== 0) process.exit(code ?? 1);
}

/** Hands signals on. A terminal sends Ctrl-C to the child itself, which should see it once. */
async function run(step, extra) {
  const child = spawn(node, [...step, ...extra], { cwd: root, env: environment, stdio: 'inherit' });
  const forward = (name) => {
    if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of signals) process.on(name, forward);
  const [code, signal] = await once(child, 'exit');
  for (const name of signals) process.off(name, forward);
  return { code, signal };
}

/** The Node that package.json pins: this one, the one of the package `node`, or the one of this platform's own package. */
function pinnedNode() {
  const candidates = [
    process.execPath,
    ...['node', `node-${process.platform}-${process.arch}`].map((name) =>
      path.join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node'),
    ),
  ];
  const found = candidates.find((candidate) => existsSync(candidate) && versionOf(candidate) === pinned);
  if (found) return found;
  return fail(
    `Claimbridge runs on Node ${pinned}, and this is ${process.version}. "npm ci" installs ${pinned} beside it; if it did, install ` +
      'scripts are switched off: run "npm rebuild node --allow-scripts=node" or use that version yourself.',
  );
}

function versionOf(candidate) {
  return candidate === process.execPath
    ? process.version
    : spawnSync(candidate, ['--version'], { encoding: 'utf8' }).stdout?.trim();
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
