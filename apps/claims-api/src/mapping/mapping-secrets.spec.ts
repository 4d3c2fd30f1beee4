import { readServiceDocument } from '#configuration';
import { describe, expect, it } from 'vitest';
import { Configuration, ReferencedSecrets } from '../config.js';
import { readMappingSecrets } from './mapping-secrets.js';

const id = '00000000-0000-0000-0000-000000000001';

async function read(secrets: string, environment: Record<string, string>): Promise<ReturnType<typeof readMappingSecrets>> {
  const document = readServiceDocument(`
tenants: { contoso: { tenantId: ${id}, audience: ${id} } }
mappings: { folder: mappings }
secrets: ${secrets}
`);
  if (document.kind === 'refused') throw new Error(JSON.stringify(document.issues));
  const configuration = new Configuration('/etc/claimbridge.yaml', document.document, 'info');
  return readMappingSecrets(configuration, new ReferencedSecrets(configuration, environment));
}

describe('readMappingSecrets', () => {
  it('gives each key to its tenants', async () => {
    const key = 'k'.repeat(32);
    const secrets = await read('{ pairwise: { value: env:KEY, tenants: [contoso] } }', { KEY: key });
    expect(new TextDecoder().decode(secrets.get('pairwise')!.value())).toBe(key);
    expect([...secrets.get('pairwise')!.tenants]).toEqual(['contoso']);
  });

  it.each([
    ['a key that is too short', '{ a: { value: env:KEY, tenants: [contoso] } }', 'secrets.a.value: has less than 32 bytes'],
    [
      'a variable that is not set',
      '{ a: { value: env:NONE, tenants: [contoso] } }',
      'secrets.a.value: env:NONE: the variable is not set',
    ],
    ['a tenant that is not there', '{ a: { value: env:KEY, tenants: [fabrikam] } }', 'there is no tenant fabrikam'],
  ])('stops the start for %s, and never says the key', async (_name, secrets, reason) => {
    const failure = read(secrets, { KEY: 'sh0rt' });
    await expect(failure).rejects.toThrow(reason);
    await expect(failure).rejects.not.toThrow('sh0rt');
  });
});
