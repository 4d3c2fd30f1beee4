// Checks the Docker files: dockerfilelint's rules, and the project's own (pinned bases, no root, health checks, closed compose).
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const folder = path.resolve(import.meta.dirname, '..', 'docker');
const problems = [];
const files = readdirSync(folder);
const dockerfiles = files.filter((name) => /(^|\.)Dockerfile$/.test(name));

for (const name of dockerfiles) lintDockerfile(name, readFileSync(path.join(folder, name), 'utf8'));
lintCompose(parse(readFileSync(path.join(folder, 'compose.yaml'), 'utf8')));

for (const problem of problems) process.stderr.write(`docker/${problem}\n`);
process.stdout.write(`docker: ${dockerfiles.length} Dockerfiles and compose.yaml linted, ${problems.length} problems\n`);
process.exitCode = problems.length > 0 ? 1 : 0;

function lintDockerfile(name, text) {
  const { stdout } = spawnSync(
    process.execPath,
    ['node_modules/dockerfilelint/bin/dockerfilelint', '--output', 'json', path.join('docker', name)],
    { cwd: path.dirname(folder), encoding: 'utf8' },
  );
  for (const file of JSON.parse(stdout).files)
    for (const { line, title, description } of file.issues) problems.push(`${name}:${line}: ${title}: ${description}`);

  const instructions = text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => ({ word: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1).trim() }));
  const stages = [];
  for (const instruction of instructions) {
    if (instruction.word === 'FROM') stages.push({ from: instruction.rest, instructions: [] });
    else stages.at(-1)?.instructions.push(instruction);
  }
  const aliases = stages.map(({ from }) => / AS (\S+)$/.exec(from)?.[1]);
  for (const { from, instructions: own } of stages) {
    const image = from.split(' ')[0];
    if (!aliases.includes(image) && !pinned(image)) problems.push(`${name}: ${image} is not pinned to an exact version`);
    const runs = own.some(({ word }) => word === 'CMD' || word === 'ENTRYPOINT');
    if (!runs) continue;
    const user = own.findLast(({ word }) => word === 'USER')?.rest;
    if (user === undefined || user === 'root' || user === '0') problems.push(`${name}: the stage of ${from} runs as root`);
    if (!own.some(({ word }) => word === 'HEALTHCHECK')) problems.push(`${name}: the stage of ${from} has no HEALTHCHECK`);
  }
  for (const { word, rest } of instructions) {
    if (word === 'ADD') problems.push(`${name}: ADD fetches and unpacks; use COPY`);
    if (word === 'RUN' && /apt-get install/.test(rest) && !/--no-install-recommends/.test(rest))
      problems.push(`${name}: apt-get install without --no-install-recommends`);
    if ((word === 'ENV' || word === 'ARG') && /(PASSWORD|SECRET|TOKEN)/i.test(rest))
      problems.push(`${name}: a secret in ${word}`);
  }
}

function lintCompose({ services }) {
  for (const [name, service] of Object.entries(services)) {
    const say = (problem) => problems.push(`compose.yaml: ${name}: ${problem}`);
    if (service.image !== undefined && !pinned(service.image)) say(`${service.image} is not pinned to an exact version`);
    if (service.build && !files.includes(path.basename(service.build.dockerfile)))
      say(`${service.build.dockerfile} does not exist`);
    if (service.privileged) say('is privileged');
    if (service.build && service.read_only !== true) say('its file system is writable');
    for (const port of service.ports ?? [])
      if (!String(port).startsWith('127.0.0.1:')) say(`port ${port} is open to the network`);
    for (const dependency of Object.keys(service.depends_on ?? {}))
      if (!Object.hasOwn(services, dependency)) say(`depends on ${dependency}, which is not there`);
    for (const volume of service.volumes ?? []) {
      const [source] = volume.split(':');
      if (source.startsWith('./') && !exists(path.join(folder, source))) say(`${source} does not exist`);
    }
  }
}

function exists(file) {
  try {
    readdirSync(path.dirname(file));
    return readdirSync(path.dirname(file)).includes(path.basename(file));
  } catch {
    return false;
  }
}

/** At least major and minor version, or a digest. */
function pinned(image) {
  return /@sha256:[0-9a-f]{64}$/.test(image) || /:\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$/.test(image);
}
