import path from 'node:path';
import type { BackEnds } from './back-ends.js';
import { MeasuredProcess } from './measured-process.js';
import { startService, type ServiceOptions } from './service.js';

/** The servers that are compared, in the order of a round. */
export const candidateNames = ['bare', 'defaults', 'cold', 'warm', 'floor'] as const;
export type CandidateName = (typeof candidateNames)[number];

export const descriptions: Readonly<Record<CandidateName, string>> = {
  bare: 'node:http + jose + ldapts + pg',
  defaults: 'Nest + Express + passport-azure-ad + class-validator',
  cold: 'Claimbridge, nothing cached',
  warm: 'Claimbridge, all lookups cached',
  floor: 'node:http, parses, checks a cached token, answers',
};

export interface Candidate {
  readonly name: CandidateName;
  readonly process: MeasuredProcess;
  readonly url: string;
  /** From the start of the process to its being ready. */
  readonly readyMilliseconds: number;
}

const services: Partial<Readonly<Record<CandidateName, Pick<ServiceOptions, 'cached' | 'nodeArgs'>>>> = {
  cold: {},
  warm: { cached: true },
};

/** Whether V8 has much to compile before it shows what it takes. */
export const isService = (name: CandidateName): boolean => services[name] !== undefined;

/** How many mappings the service has loaded; one of them is used. */
export const mappings = 100;

/** Starts all of them, one after the other: each has the core to itself. */
export async function startCandidates(
  backEnds: BackEnds,
  core: number | undefined,
  stack: AsyncDisposableStack,
): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const name of candidateNames) {
    const service = services[name];
    const { process, url, readyMilliseconds } = service
      ? await startService({ name, backEnds, core, mappings, ...service })
      : await startServer(name, backEnds, core);
    stack.use(process);
    candidates.push({ name, process, url, readyMilliseconds });
  }
  return candidates;
}

async function startServer(name: CandidateName, backEnds: BackEnds, core: number | undefined) {
  const file = path.resolve(import.meta.dirname, `../../dist/test/bench/servers/${name}.js`);
  const begun = performance.now();
  const process = new MeasuredProcess({
    args: [file, backEnds.settingsFile, backEnds.exchangesFile],
    env: { NODE_EXTRA_CA_CERTS: backEnds.caFile },
    core,
  });
  const { url } = await process.firstLine();
  return { process, url: `${String(url)}/api/onTokenIssuanceStart`, readyMilliseconds: performance.now() - begun };
}
