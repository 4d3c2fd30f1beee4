import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '#testing';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { startSimulator } from '../../apps/entra-simulator/src/index.js';

const root = path.resolve(import.meta.dirname, '../..');
const tenantId = '0f1e2d3c-4b5a-4697-8887-96a5b4c3d2e1';
const clientId = '1a2b3c4d-5e6f-4071-8293-a4b5c6d7e8f9';

const simulated = {
  tenants: {
    contoso: {
      tenantId,
      api: { appId: clientId, requestedAccessTokenVersion: 2 as const },
      extensions: {
        loyalty: {
          id: '2b3c4d5e-6f70-4182-93a4-b5c6d7e8f90a',
          targetUrl: 'http://127.0.0.1:9/',
          timeoutInMilliseconds: 2_000,
          claimsForTokenConfiguration: ['tier', 'roles'],
        },
      },
      applications: {
        shop: {
          appId: '3c4d5e6f-7081-4293-a4b5-c6d7e8f90a1b',
          objectId: '4d5e6f70-8192-43a4-b5c6-d7e8f90a1b2c',
          displayName: 'Shop',
          extension: 'loyalty',
          listenerId: '5e6f7081-92a3-44b5-86d7-e8f90a1b2c3d',
          claimsMapping: [{ id: 'tier', jwtClaimType: 'tier' }],
        },
      },
      users: { kim: { id: '6f708192-a3b4-45c6-97e8-f90a1b2c3d4e', userType: 'Guest', displayName: 'Kim' } },
    },
  },
};

describe('the guide to auth events', () => {
  it('has an endpoint in one block of under 30 lines, which compiles, starts, and lets nobody but Entra in', async () => {
    await using parts = new AsyncDisposableStack();
    const guide = await readFile(path.join(root, 'docs/guides/auth-events.md'), 'utf8');
    const blocks = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text!);
    expect(blocks).toHaveLength(1);
    expect(blocks[0]!.trimEnd().split('\n').length).toBeLessThan(30);

    // Below the project's package.json, so that #auth-events means there what it means in the project.
    const folder = await mkdtemp(path.join(root, 'dist/guide-'));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    const source = path.join(folder, 'guide.ts');
    await writeFile(source, blocks[0]!);
    expect(compile(source)).toEqual([]);

    const caFile = path.join(folder, 'ca.pem');
    const simulator = await startSimulator({ config: simulated, caFile });
    parts.defer(() => simulator.stop());
    const port = await freePort();
    const issuer = `${simulator.url}/${tenantId}/v2.0`;
    const issuers = [{ issuer, metadata: `${issuer}/.well-known/openid-configuration` }];
    const run = `const { start } = await import(${JSON.stringify(`file://${folder}/guide.js`)});
      await start(...${JSON.stringify([tenantId, clientId, port, issuers])});
      console.log('listening now');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', run], {
      cwd: root,
      env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    parts.defer(async () => {
      if (child.exitCode === null && child.kill()) await once(child, 'exit');
    });
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const look = (text: string): void => {
        output += text;
        // Nest says that it has started before it listens.
        if (output.includes('listening now')) resolve();
      };
      child.stdout.setEncoding('utf8').on('data', look);
      child.stderr.setEncoding('utf8').on('data', look);
      child.once('exit', () => reject(new Error(output)));
    });

    const endpoint = `http://localhost:${port}/api/onTokenIssuanceStart`;
    const unauthenticated = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect([unauthenticated.status, await unauthenticated.json()]).toEqual([
      401,
      expect.objectContaining({ code: 'caller.unauthenticated' }),
    ]);

    simulator.setTargetUrl(endpoint);
    const signIn = await simulator.signIn({ application: 'shop', user: 'kim' });
    expect(signIn.error).toBeUndefined();
    expect(signIn).toMatchObject({
      callout: { status: 200 },
      claims: { tier: 'visitor' },
      token: { claims: { tier: 'visitor' } },
    });
  });
});

/** Compiles by the project's own settings, and leaves the JavaScript beside the source. */
function compile(source: string): readonly string[] {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile) as { config: unknown };
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root, {
    noEmit: false,
    outDir: undefined,
    rootDir: root,
  });
  const declarations = fileNames.filter((file) => file.endsWith('.d.ts'));
  const program = ts.createProgram([source, ...declarations], options);
  const problems = ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  program.emit(program.getSourceFile(source));
  return problems;
}
