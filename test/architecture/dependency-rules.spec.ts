import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const { default: configuration } = (await import(pathToFileURL(path.join(root, '.dependency-cruiser.mjs')).href)) as {
  default: { forbidden: readonly { name: string; comment: string }[] };
};

/** A file that breaks the rule of its key, and the import by which it does. */
const plants: Readonly<Record<string, readonly [file: string, imported: string]>> = {
  'no-cycles': ['libs/claims/src/cycle-a.ts', './cycle-b.js'],
  'no-unresolvable': ['libs/claims/src/lost.ts', './nowhere.js'],
  'library-by-its-index': ['apps/claims-api/src/reach.ts', '../../../libs/claims/src/inner.js'],
  'core-knows-no-adapter': ['libs/claims/src/fetching.ts', '#connectors'],
  'core-without-framework': ['libs/claims/src/service.ts', '@nestjs/common'],
  'leaf-libraries': ['libs/entra-auth/src/caller.ts', '#claims'],
  'adapters-see-the-core-only': ['libs/connectors/src/logging.ts', '#observability'],
  'configuration-knows-core-and-connectors': ['libs/configuration/src/storing.ts', '#mapping-store'],
  'connectors-apart': ['libs/connectors/src/ldap/rows.ts', '../postgres/row.js'],
  'ldapts-in-its-adapter': ['apps/claims-api/src/search.ts', 'ldapts'],
  'pg-in-its-adapter': ['libs/connectors/src/ldap/query.ts', 'pg'],
  'passport-azure-ad-in-entra-auth': ['apps/claims-api/src/strategy.ts', 'passport-azure-ad'],
  'simulator-is-independent': ['apps/entra-simulator/src/answer.ts', '#auth-events'],
  'applications-apart': ['apps/demo/src/inside.ts', '../../claims-api/src/reach.js'],
  'libraries-below-applications': ['libs/connectors/src/upwards.ts', '../../../apps/claims-api/src/reach.js'],
  'testing-stays-out-of-the-product': ['apps/claims-api/src/fake.ts', '#testing'],
  'product-without-development-packages': ['libs/mapping-store/src/random.ts', 'fast-check'],
  'one-composition-root': ['apps/claims-api/src/store.ts', '#mapping-store'],
  'specs-are-leaves': ['test/reuse.ts', './other.spec.js'],
};

const bystanders: Readonly<Record<string, string>> = {
  'libs/claims/src/cycle-b.ts': `import './cycle-a.js';\nexport const b = 1;\n`,
  'libs/claims/src/inner.ts': 'export const inner = 1;\n',
  'libs/connectors/src/postgres/row.ts': 'export const row = 1;\n',
  'test/other.spec.ts': 'export const other = 1;\n',
};

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

let folder: string;
let violations: readonly Violation[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-rules-'));
  for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.mjs'])
    await cp(path.join(root, file), path.join(folder, file));
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  const libraries = [
    'auth-events',
    'entra-auth',
    'claims',
    'configuration',
    'connectors',
    'mapping-store',
    'observability',
    'postgres-client',
    'testing',
  ];
  const files: Record<string, string> = { ...bystanders };
  for (const library of libraries) files[`libs/${library}/src/index.ts`] = 'export const index = 1;\n';
  for (const [file, imported] of Object.values(plants)) files[file] = `import '${imported}';\nexport const planted = 1;\n`;
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  violations = await cruise(folder);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the dependency rules', () => {
  it('give a reason each', () => {
    for (const rule of configuration.forbidden) expect(rule.comment, rule.name).toMatch(/\w{3}.*\.$/);
  });

  it('have a planted violation each', () => {
    expect(Object.keys(plants).toSorted()).toEqual(configuration.forbidden.map(({ name }) => name).toSorted());
  });

  it.each(Object.entries(plants))('%s catches its plant', (name, [file]) => {
    expect(violations.filter((violation) => violation.rule.name === name).map(({ from }) => from)).toContain(file);
  });
});

async function cruise(cwd: string): Promise<readonly Violation[]> {
  const command = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const options = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'apps', 'libs', 'test'];
  const { stdout } = await promisify(execFile)(process.execPath, [command, ...options], { cwd, maxBuffer: 32 * 1024 * 1024 });
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}
