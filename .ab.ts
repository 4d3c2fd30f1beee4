// node --import ./tools/resolve-typescript.mjs /tmp/w/ab.ts seconds rounds names...
import { startBackEnds } from '/tmp/w/bench/test/bench/back-ends.ts';
import { startService } from '/tmp/w/bench/test/bench/service.ts';
import { MeasuredProcess } from '/tmp/w/bench/test/bench/measured-process.ts';
import { LoadGenerator } from '/tmp/w/bench/test/bench/load-generator.ts';
import { sampleOf } from '/tmp/w/bench/test/bench/rounds.ts';
import { execFileSync } from 'node:child_process';
const [seconds, rounds, ...names] = process.argv.slice(2);
execFileSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)], { stdio: 'ignore' });
const b = await startBackEnds(5000);
const load = new LoadGenerator();
const cs: any[] = [];
for (const name of names) {
  const [kind, ...nodeArgs] = name.split('+');
  if (kind === 'cold' || kind === 'warm')
    cs.push({
      name,
      ...(await startService({
        name: name.replaceAll(/[^a-z]/g, ''),
        backEnds: b,
        core: 0,
        mappings: 1,
        cached: kind === 'warm',
        nodeArgs,
      })),
    });
  else {
    const p = new MeasuredProcess({
      args: [...nodeArgs, `/tmp/w/bench/dist/test/bench/servers/${kind}.js`, b.settingsFile, b.exchangesFile],
      env: { NODE_EXTRA_CA_CERTS: b.caFile },
      core: 0,
    });
    const { url } = await p.firstLine();
    cs.push({ name, process: p, url: url + '/api/onTokenIssuanceStart' });
  }
}
for (let r = 0; r < Number(rounds); r++) {
  const out: string[] = [];
  for (const c of cs) {
    const s = await sampleOf(load, c.process, {
      url: c.url,
      authorization: b.authorization,
      seconds: Number(seconds),
      connections: 32,
      exchanges: b.exchangesFile,
    });
    out.push(
      `${c.name} ${(s.answers / s.seconds).toFixed(0)}/s ${((s.cpuSeconds * 1e6) / s.answers).toFixed(0)}us ${s.residentMegabytes.toFixed(0)}MB`,
    );
  }
  console.log(out.join(' | '));
}
for (const c of cs) await c.process[Symbol.asyncDispose]();
load[Symbol.dispose]();
await b[Symbol.asyncDispose]();
process.exit();
