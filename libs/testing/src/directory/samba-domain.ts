import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runProgram } from '../process/run-program.js';
import { StartError } from '../process/start-error.js';

/** The domain of every Samba of the tests. */
export const sambaDomain = {
  baseDn: 'DC=corp,DC=example',
  dnsName: 'corp.example',
  netbiosName: 'CORP',
  /** The identifier of the domain in the demo's people, so that their `objectSid` can be kept. */
  sid: 'S-1-5-21-1004336348-1177238915-682003330',
  host: 'dc1',
  administrator: { dn: 'CN=Administrator,CN=Users,DC=corp,DC=example', password: 'Throw-Away-1' },
} as const;

export const sambaPrograms = {
  samba: '/usr/sbin/samba',
  sambaTool: '/usr/bin/samba-tool',
  python: '/usr/bin/python3',
  ldbadd: '/usr/bin/ldbadd',
  ldbmodify: '/usr/bin/ldbmodify',
  ldbsearch: '/usr/bin/ldbsearch',
} as const;

export const sambaEnv: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  PYTHONHASHSEED: '0',
};

/**
 * What the provisioning of Samba leaves out and tests need: `extensionAttribute1`–`15`, which Exchange's schema brings, any password,
 * and a `lockoutTime` that locks for good.
 */
const amend = `
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
lp = LoadParm()
lp.load(sys.argv[1] + '/etc/smb.conf')
lp.set('dsdb:schema update allowed', 'yes')
db = SamDB(sys.argv[1] + '/private/sam.ldb', session_info=system_session(), lp=lp)
base = db.domain_dn()
schema = 'CN=Schema,CN=Configuration,' + base
def modify(dn, **values):
    changes = ['replace: %s\\n%s: %s\\n-\\n' % (name, name, value) for name, value in values.items()]
    db.modify_ldif('dn: %s\\nchangetype: modify\\n%s' % (dn, ''.join(changes)))
def class_with(name, attributes):
    lines = ''.join('mayContain: %s\\n' % attribute for attribute in attributes)
    db.modify_ldif('dn: CN=%s,%s\\nchangetype: modify\\nadd: mayContain\\n%s' % (name, schema, lines))
numbers = list(range(423, 433)) + list(range(599, 604))
names = ['extensionAttribute%d' % (n + 1) for n in range(15)]
for n, number in enumerate(numbers):
    db.add_ldif('''dn: CN=ms-Exch-Extension-Attribute-%d,%s
objectClass: attributeSchema
lDAPDisplayName: extensionAttribute%d
attributeID: 1.2.840.113556.1.2.%d
attributeSyntax: 2.5.5.12
oMSyntax: 64
isSingleValued: TRUE
searchFlags: 1
''' % (n + 1, schema, n + 1, number))
db.modify_ldif('dn:\\nchangetype: modify\\nadd: schemaUpdateNow\\nschemaUpdateNow: 1\\n')
class_with('User', names)
class_with('Group', names)
modify(base, pwdProperties=0, minPwdLength=0, pwdHistoryLength=0, minPwdAge=0, maxPwdAge=0,
       lockoutDuration=-2 ** 63)
`;

const provision: readonly string[] = [
  'domain',
  'provision',
  '--server-role=dc',
  '--use-rfc2307',
  '--dns-backend=NONE',
  `--realm=${sambaDomain.dnsName.toUpperCase()}`,
  `--domain=${sambaDomain.netbiosName}`,
  `--domain-sid=${sambaDomain.sid}`,
  `--adminpass=${sambaDomain.administrator.password}`,
  `--host-name=${sambaDomain.host}`,
  '--host-ip=127.0.0.1',
  // What Samba numbers itself is far above what a test asks for.
  '--next-rid=1000000',
  '--option=interfaces=lo',
  '--option=bind interfaces only=yes',
];

let provisioned: Promise<string> | undefined;

/**
 * A copy of a freshly provisioned domain below `folder`. Provisioning takes seconds, so its result is kept for this version of Samba in
 * `node_modules/.cache`, in a folder that only we can enter; deleting it is safe.
 */
export async function copyOfDomain(folder: string): Promise<void> {
  provisioned ??= provisionedDomain();
  await cp(await provisioned, folder, { recursive: true });
}

async function provisionedDomain(): Promise<string> {
  const version = await run(sambaPrograms.samba, ['--version']);
  const recipe = createHash('sha256')
    .update(JSON.stringify([version, provision, amend]))
    .digest('hex')
    .slice(0, 16);
  const cache = cacheFolder();
  const folder = join(cache, `samba-domain-${recipe}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, 'samba-domain-new-'));
  try {
    await run(sambaPrograms.sambaTool, [...provision, `--targetdir=${fresh}`]);
    await run(sambaPrograms.python, ['-c', amend, fresh]);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function cacheFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules'))) return join(folder, 'node_modules', '.cache', 'claimbridge');
  }
  return join(process.cwd(), 'node_modules', '.cache', 'claimbridge');
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args, { cwd: '/', env: sambaEnv });
  if (code === 0) return stdout;
  throw new StartError('start.failed', `${program} failed (exit code ${code}).`, `${stdout}${stderr}`.slice(-8_000));
}
