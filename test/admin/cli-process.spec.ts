import { execFile } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderOf } from '../../apps/cli/src/cli.harness.js';
import { operator, startStack, tenantId, type Stack } from '../e2e/stack.js';

const entry = path.resolve(import.meta.dirname, '../../dist/apps/cli/src/main.js');

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  await stack.ready();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** The command line as it is installed, in a process of its own. */
function claimbridge(
  words: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [entry, ...words], { env: variables }, (_error, out, err) =>
      resolve({ code: child.exitCode!, out, err }),
    );
  });
}

describe('the command line by client credentials', () => {
  const variables = async (secret: string): Promise<NodeJS.ProcessEnv> => ({
    NODE_EXTRA_CA_CERTS: path.join(stack.folder, 'ca.pem'),
    CLAIMBRIDGE_URL: stack.managementUrl,
    CLAIMBRIDGE_TOKEN_URL: `${stack.simulator.url}/${tenantId}/oauth2/v2.0/token`,
    CLAIMBRIDGE_CLIENT_ID: operator.clientId,
    CLAIMBRIDGE_CLIENT_SECRET_FILE: path.join(await folderOf({ secret: `${secret}\n` }), 'secret'),
    CLAIMBRIDGE_SCOPE: `${operator.audience}/.default`,
  });

  it('fetches a token from the token endpoint, the secret from a file, and is let in by it', async () => {
    const { code, out, err } = await claimbridge(['list', '--json'], await variables(operator.clientSecret));
    expect([code, err]).toEqual([0, '']);
    const { mappings } = JSON.parse(out) as { mappings: { name: string }[] };
    expect(mappings.map(({ name }) => name)).toEqual(['billing-api', 'billing-portal', 'legacy-hr']);
  });

  it('ends with 3 where the secret is wrong, and says nothing of it', async () => {
    const { code, out, err } = await claimbridge(['list'], await variables('canary'));
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/answered 4\d\d \(invalid_client\)/);
    expect(err).not.toContain('canary');
  });
});
