import { mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { BackEnds } from './back-ends.js';
import type { LoadGenerator } from './load-generator.js';
import { startService } from './service.js';

/** The parts of a V8 CPU profile that are read. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

/** A share of the time on the processor, spent in the code of a module or function itself. */
export interface Share {
  readonly name: string;
  readonly share: number;
}

/** Where the time of a profile went, the most first; what was idle counts as nothing. */
export function sharesOf(profile: CpuProfile): { readonly modules: readonly Share[]; readonly functions: readonly Share[] } {
  const own = new Map<number, number>();
  for (const [index, id] of profile.samples.entries()) own.set(id, (own.get(id) ?? 0) + profile.timeDeltas[index]!);
  const modules = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  for (const { id, callFrame } of profile.nodes) {
    const time = own.get(id) ?? 0;
    if (time === 0 || callFrame.functionName === '(idle)') continue;
    const module = moduleOf(callFrame);
    const name = `${callFrame.functionName || '(anonymous)'} ${module}:${callFrame.lineNumber + 1}`;
    total += time;
    modules.set(module, (modules.get(module) ?? 0) + time);
    functions.set(name, (functions.get(name) ?? 0) + time);
  }
  const ranked = (times: ReadonlyMap<string, number>): readonly Share[] =>
    [...times].map(([name, time]) => ({ name, share: time / total })).toSorted((left, right) => right.share - left.share);
  return { modules: ranked(modules), functions: ranked(functions) };
}

function moduleOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  const [, packageName] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  const [, own] = /\/(?:dist\/)?((?:apps|libs)\/.+)\.[jt]s$/.exec(url) ?? [];
  return packageName ?? own?.replace('/src/', '/') ?? (url !== '' ? url : functionName.startsWith('(') ? functionName : 'native');
}

/** Loads the service with nothing cached and with all cached, and says where its time went. */
export async function profileService(options: {
  readonly backEnds: BackEnds;
  readonly load: LoadGenerator;
  readonly core: number | undefined;
  readonly connections: number;
  readonly seconds: number;
  readonly say: (text: string) => void;
}): Promise<void> {
  const { backEnds, load, core, connections, seconds, say } = options;
  const { authorization, exchangesFile: exchanges } = backEnds;
  for (const name of ['cold', 'warm'] as const) {
    const folder = path.join(backEnds.folder, `profile-${name}`);
    await mkdir(folder);
    const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const { process, url } = await startService({ name, backEnds, core, mappings: 1, cached: name === 'warm', nodeArgs });
    await load.run({ url, authorization, seconds, connections, exchanges });
    await process.stop();
    const [file] = await readdir(folder);
    const { modules, functions } = sharesOf(JSON.parse(await readFile(path.join(folder, file!), 'utf8')) as CpuProfile);
    say(`\n${name}: the module whose own code was running, and the functions`);
    for (const { name: what, share } of [...modules.slice(0, 40), ...functions.slice(0, 40)])
      say(`${(share * 100).toFixed(1).padStart(6)} %  ${what}`);
  }
}
