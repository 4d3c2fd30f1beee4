import { isDeepStrictEqual, parseArgs } from 'node:util';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describeStep, playChange, type ChangeStep } from './change.js';
import { startCompany, type Company } from './company.js';
import { operators } from './operators.js';
import { signIns, type PlannedSignIn } from './sign-ins.js';
import type { PlayedSignIn } from './simulator-client.js';

const usage = 'npm run demo -- [--once] [--json] [--directory in-process|slapd]';

async function main(): Promise<number> {
  const { once, json, directory } = readArguments();
  const say = (text: string): void => void (json ? process.stderr : process.stdout).write(`${text}\n`);
  const told = new Promise<'told'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('told'));
  });

  say('Starting PostgreSQL, a directory, an Entra that is played, and Claimbridge …');
  const starting = startCompany({ directory });
  const first = await Promise.race([starting, told]);
  if (first === 'told') {
    await (await starting).stop();
    return 130;
  }
  const company = first;
  try {
    say(`Ready: the service took ${Math.round(company.readyAfter)} ms from its start.\n`);
    const played = await Promise.race([play(company, say), company.broken, told]);
    if (played === 'told') return 130;
    say('A mapping is changed while people sign in: previewed, published, rolled back.\n');
    const changed = await Promise.race([playChange(company), company.broken, told]);
    if (changed === 'told') return 130;
    for (const step of changed) say(describeStep(step));
    if (json)
      process.stdout.write(`${JSON.stringify({ signIns: played.map(toJson), change: changed.map(stepToJson) }, undefined, 2)}\n`);
    const wrong = [...played, ...changed].filter(({ asExpected }) => !asExpected).length;
    say(
      wrong === 0
        ? `All ${played.length} sign-ins and the ${changed.length} steps of the change came out as expected.`
        : `${wrong} of ${played.length + changed.length} did not come out as expected.`,
    );
    if (once || wrong > 0) return wrong === 0 ? 0 : 1;
    // First, for the lines of the invitation use them.
    await writeTokens(company);
    say(await invitation(company));
    await keepTokens(company, told);
    return 0;
  } finally {
    say('Stopping …');
    await company.stop();
  }
}

interface Account {
  readonly planned: PlannedSignIn;
  readonly played: PlayedSignIn;
  readonly asExpected: boolean;
}

async function play(company: Company, say: (text: string) => void): Promise<readonly Account[]> {
  const accounts: Account[] = [];
  for (const planned of signIns) {
    const played = await company.simulator.signIn(planned);
    const asExpected = played.error === undefined && isDeepStrictEqual(played.claims, planned.expected);
    accounts.push({ planned, played, asExpected });
    say(describe({ planned, played, asExpected }));
  }
  return accounts;
}

function describe({ planned, played, asExpected }: Account): string {
  const { application, client, user = 'a service', about, expected } = planned;
  const via = client === undefined ? '' : `, asked for by ${client}`;
  const lines = [
    `${asExpected ? '✓' : '✗'} ${user} → ${application}${via}   ${played.callout.status ?? 'no answer'} in ${Math.round(played.callout.ms)} ms`,
    `    ${about}`,
    `    claims  ${JSON.stringify(played.claims ?? null)}`,
    played.token
      ? `    token   ${JSON.stringify(played.token.claims)}`
      : `    no token: ${played.error?.code} ${played.error?.message}`,
  ];
  if (!asExpected) lines.push(`    expected ${JSON.stringify(expected)}`);
  return `${lines.join('\n')}\n`;
}

function toJson({ planned, played }: Account): object {
  return {
    application: planned.application,
    user: planned.user ?? null,
    status: played.callout.status ?? null,
    ms: Math.round(played.callout.ms * 10) / 10,
    claims: played.claims ?? null,
    error: played.error ?? null,
  };
}

function stepToJson({ step, claims, expected, revision, asExpected }: ChangeStep): object {
  return { step, claims: claims ?? null, expected, revision: revision ?? null, asExpected };
}

/** Where everything is, and lines to copy that work. */
async function invitation(company: Company): Promise<string> {
  const { folder, publicUrl, managementUrl, simulatorUrl, simulator } = company;
  const { event } = await simulator.signIn({ about: '', application: 'billing-portal', user: 'adele', expected: {} });
  await writeFile(path.join(folder, 'event.json'), JSON.stringify(event, undefined, 2), { mode: 0o600 });
  return `
event endpoint    ${publicUrl}/api/onTokenIssuanceStart
readiness         ${publicUrl}/health/ready
metrics           ${managementUrl}/metrics
Entra simulator   ${simulatorUrl}
logs, keys, event ${folder}

Ask as Entra does:
  curl -H @${folder}/entra.txt -H 'content-type: application/json' -d @${folder}/event.json ${publicUrl}/api/onTokenIssuanceStart

Let the simulator play a sign-in:
  curl --cacert ${folder}/ca.pem -H 'content-type: application/json' -d '{"application":"legacy-hr","user":"zoe"}' ${simulatorUrl}/simulator/sign-ins

See the state of everything, as an operator:
  curl -H @${folder}/operator.txt ${managementUrl}/admin/health

Read a mapping, as an administrator who may change it too (docs/guides/change-safely.md):
  curl -H @${folder}/administrator.txt ${managementUrl}/admin/v1/mappings/contoso/billing-portal

Ctrl-C stops it all.`;
}

/** Writes the headers that the lines above use; their tokens are valid for an hour. */
async function writeTokens({ folder, simulator }: Company): Promise<void> {
  const headers = {
    'entra.txt': await simulator.extensionToken(),
    'operator.txt': await simulator.operatorToken(operators.operator),
    'administrator.txt': await simulator.operatorToken(operators.administrator),
  };
  for (const [name, token] of Object.entries(headers))
    await writeFile(path.join(folder, name), `authorization: Bearer ${token}\n`, { mode: 0o600 });
}

/** Keeps those headers valid until it is told to stop. */
async function keepTokens(company: Company, told: Promise<'told'>): Promise<void> {
  for (;;) {
    const { promise: later, resolve } = Promise.withResolvers<'later'>();
    const timer = setTimeout(() => resolve('later'), 20 * 60_000);
    const next = await Promise.race([told, later, company.broken]);
    clearTimeout(timer);
    if (next === 'told') return;
    await writeTokens(company);
  }
}

function readArguments(): { readonly once: boolean; readonly json: boolean; readonly directory: 'in-process' | 'slapd' } {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      directory: { type: 'string', default: 'in-process' },
    },
  });
  const { once, json, directory } = values;
  if (directory !== 'in-process' && directory !== 'slapd') throw new Error(`--directory is in-process or slapd\n${usage}`);
  if (json && !once) throw new Error(`--json goes with --once\n${usage}`);
  return { once, json, directory };
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : 'unknown error'}\n`);
    process.exit(1);
  },
);
