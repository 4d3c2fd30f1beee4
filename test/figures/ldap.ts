// How long lookups of a directory of 5,000 people take. It reports and asserts nothing; docs/reference/directory-figures.md has a run.
import { cpus } from 'node:os';
import { LdapConnector } from '#connectors';
import { Secrets, type Outcome, type Source } from '#claims';
import { sambaAvailable, slapdAvailable, startDirectory, startSamba, startSlapd } from '#testing';

const people = 5_000;
const nestedGroups = 300;
const root = 'DC=corp,DC=example';
const password = 'A-long-Passw0rd-of-a-service';
const service = `CN=service,OU=Services,${root}`;
const personName = (index: number): string => `CN=person${index},OU=People,${root}`;
const groupName = (index: number): string => `CN=group${index},OU=Groups,${root}`;

/** Person 0 is in ten groups; each of those, and so on, in ten more until there are 300. Everybody is in the group Everybody. */
const entries: readonly (readonly string[])[] = [
  ...['People', 'Groups', 'Services'].map((name) => [`dn: OU=${name},${root}`, 'objectClass: organizationalUnit', `ou: ${name}`]),
  [`dn: ${service}`, 'objectClass: user', 'cn: service', 'sAMAccountName: service', `userPassword: ${password}`],
  ...Array.from({ length: people }, (_, index) => [
    `dn: ${personName(index)}`,
    'objectClass: user',
    `cn: person${index}`,
    `sAMAccountName: person${index}`,
    `userPrincipalName: person${index}@corp.example`,
    `displayName: Person ${index}`,
    `department: Department ${index % 20}`,
  ]),
  ...Array.from({ length: nestedGroups }, (_, index) => [
    `dn: ${groupName(index)}`,
    'objectClass: group',
    `cn: group${index}`,
    `sAMAccountName: group${index}`,
    'groupType: -2147483640',
    `member: ${index < 10 ? personName(0) : groupName(Math.floor(index / 10) - 1)}`,
  ]),
  [
    `dn: CN=Everybody,OU=Groups,${root}`,
    'objectClass: group',
    'cn: Everybody',
    'sAMAccountName: Everybody',
    'groupType: 2',
    ...Array.from({ length: people }, (_, index) => `member: ${personName(index)}`),
  ],
];
const ldif = (more: readonly (readonly string[])[]): string =>
  [...more, ...entries].map((lines) => `${lines.join('\n')}\n`).join('\n');
const withRoot = ldif([[`dn: ${root}`, 'objectClass: dcObject', 'objectClass: organization', 'dc: corp', 'o: Corp']]);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

class OnlySecret extends Secrets {
  override read(): Promise<string> {
    return Promise.resolve(password);
  }
}

const lookups = {
  person: { base: root, parameters: ['upn'], filter: '(&(objectClass=user)(userPrincipalName={upn}))' },
  'at-sid': { base: '<SID={sid:sid}>', scope: 'base', parameters: ['sid'], filter: '(objectClass=user)' },
  chain: { base: root, parameters: ['upn'], filter: '(userPrincipalName={upn})', groups: { by: 'chain' } },
  group: { base: `OU=Groups,${root}`, parameters: ['cn'], filter: '(cn={cn})' },
  department: { base: `OU=People,${root}`, parameters: ['d'], filter: '(department={d})', entries: 'many' },
};

function sourceOf(url: string): Source {
  const connector = new LdapConnector();
  const config = connector.config.parse({
    type: 'ldap',
    tenants: ['contoso'],
    urls: [url],
    allowClearText: true,
    bind: { dn: service, password: 'env:PASSWORD' },
    limits: { operation: '60s', connect: '10s' },
    lookups,
  });
  const silent = { warn: () => undefined, error: () => undefined };
  return connector.create('directory', config, { secrets: new OnlySecret(), log: silent });
}

const patient = new AbortController().signal;

interface Measured {
  readonly what: string;
  readonly lookup: keyof typeof lookups;
  readonly parameters: (run: number) => Record<string, string>;
  readonly attributes: readonly string[];
  readonly runs: number;
  readonly atOnce?: number;
}

async function measure(source: Source, { what, lookup, parameters, attributes, runs, atOnce = 1 }: Measured): Promise<void> {
  const times: number[] = [];
  let last: Outcome | undefined;
  let next = 0;
  const begun = performance.now();
  const worker = async (): Promise<void> => {
    while (next < runs) {
      const query = { lookup, parameters: new Map(Object.entries(parameters(next++))), projection: attributes };
      const started = performance.now();
      last = await source.fetch(query, patient);
      times.push(performance.now() - started);
      if (last.kind !== 'found') throw new Error(`${what}: ${JSON.stringify(last)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const all = performance.now() - begun;
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): string => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(2);
  const values = last?.kind === 'found' ? last.attributes.get(attributes.at(-1)!).length : 0;
  const rate = runs > 1 ? ((runs / all) * 1_000).toFixed(0) : '';
  say(
    `| ${what} | ${runs} | ${atOnce} | ${at(0)} | ${at(0.5)} | ${at(0.99)} | ${sorted.at(-1)!.toFixed(2)} | ${rate} | ${values} |`,
  );
}

const anybody = (run: number): { upn: string } => ({ upn: `person${(run * 7) % people}@corp.example` });
const first = { upn: 'person0@corp.example' };
const plain = ['displayName', 'department', 'cn'];

async function report(name: string, url: string, more: (source: Source) => readonly Measured[]): Promise<void> {
  say(
    `\n### ${name}\n\n| lookup | runs | at once | least ms | p50 ms | p99 ms | max ms | a second | values |\n|---|---|---|---|---|---|---|---|---|`,
  );
  const source = sourceOf(url);
  const usual: readonly Measured[] = [
    { what: 'the first person, connection included', lookup: 'person', parameters: () => first, attributes: plain, runs: 1 },
    { what: 'a person by UPN', lookup: 'person', parameters: anybody, attributes: plain, runs: 2_000 },
    { what: 'a person by UPN', lookup: 'person', parameters: anybody, attributes: plain, runs: 4_000, atOnce: 32 },
    {
      what: '250 people of a department',
      lookup: 'department',
      parameters: () => ({ d: 'Department 7' }),
      attributes: ['cn'],
      runs: 50,
    },
    {
      what: 'the 5,000 members of a group',
      lookup: 'group',
      parameters: () => ({ cn: 'Everybody' }),
      attributes: ['member'],
      runs: 20,
    },
  ];
  for (const each of [...usual, ...more(source)]) await measure(source, each);
  await source.close();
}

const processor = cpus();
say(`${processor.length} × ${processor[0]?.model ?? 'unknown'}, Node ${process.version}, the directory on the same machine.`);

const directory = await startDirectory({ ldif: withRoot });
await report('The in-process directory (5,000 values in parts of 1,500)', directory.url, () => [
  { what: '300 nested groups, by chain', lookup: 'chain', parameters: () => first, attributes: ['groups.name'], runs: 3 },
]);
await directory.stop();

if (slapdAvailable()) {
  const slapd = await startSlapd({ ldif: withRoot });
  await report('OpenLDAP', slapd.url, () => []);
  await slapd.stop();
} else say('\nOpenLDAP is not installed.');

if (sambaAvailable()) {
  const begun = performance.now();
  const samba = await startSamba({ ldif: ldif([]), requireStrongAuth: false });
  say(`\nSamba was started and loaded in ${((performance.now() - begun) / 1_000).toFixed(1)} s.`);
  const { objectSid } = await samba.identityOf(personName(0));
  const groupsOf = (what: string, runs: number, atOnce = 1): Measured => ({
    what,
    lookup: 'person',
    parameters: () => first,
    attributes: ['groups.name'],
    runs,
    atOnce,
  });
  await report('Active Directory (Samba)', samba.url, () => [
    { what: 'a person at the SID', lookup: 'at-sid', parameters: () => ({ sid: objectSid }), attributes: plain, runs: 2_000 },
    groupsOf('300 nested groups, no name known yet', 1),
    groupsOf('300 nested groups, names known', 200),
    groupsOf('300 nested groups, names known', 400, 32),
    {
      what: 'the same, at the SID in one search',
      lookup: 'at-sid',
      parameters: () => ({ sid: objectSid }),
      attributes: ['groups.sid'],
      runs: 200,
    },
    { what: '300 nested groups, by chain', lookup: 'chain', parameters: () => first, attributes: ['groups.name'], runs: 10 },
  ]);
  await samba.stop();
} else say('\nSamba is not installed, or we are not root.');
