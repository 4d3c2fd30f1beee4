import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signingKey, type IssuerServer, type SigningKey } from '../../../libs/entra-auth/test/issuer-server.js';
import { issuers, startTrustStack, type TrustStack } from '../../conformance/caller/trust-stack.js';
import { answerOf, type Document } from '../../e2e/stack.js';
import { faults, largest } from './faults.js';
import { Load, attempt, tally, until, type Caller } from './load.js';

/** That of the stack's configuration; 30 s by default. */
const coolDown = 5_000;
const issuer: string = issuers['contoso-2'].issuer;

/** What `/admin/health` says of the issuer's keys. */
async function keySet(stack: TrustStack, name = issuer): Promise<Document> {
  const headers = { authorization: `Bearer ${await stack.mint('admin-2')}` };
  const { json, text } = await answerOf(await fetch(`${stack.managementUrl}/admin/health`, { headers }));
  const found = (json.keys as readonly Document[]).find((candidate) => candidate['issuer'] === name);
  if (!found) throw new Error(`no line for ${name} in ${text}`);
  return found;
}

/** Resolves when an unknown key id would cause a fetch again. */
async function coolDownIsOver(stack: TrustStack, name = issuer): Promise<void> {
  const fetchedAt = Date.parse((await keySet(stack, name))['fetchedAt'] as string);
  await until(() => Date.now() - fetchedAt > coolDown);
}

describe('an issuer that rolls its key under load', () => {
  let stack: TrustStack;
  let load: Load;
  let next: SigningKey;

  beforeEach(async () => {
    stack = await startTrustStack();
    await stack.ready();
    next = await signingKey('next-of-contoso-2');
    load = new Load(stack, [{ key: stack.keys['contoso-2'] }]);
  });
  afterEach(async () => {
    await load[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  });

  it('with an overlap refuses nobody', async () => {
    const former = stack.keys['contoso-2'];
    stack.publish('contoso-2', [former, next]);
    await coolDownIsOver(stack);
    load.callers = [{ key: former }, { key: next }];
    await load.more(200);
    expect(await keySet(stack)).toMatchObject({ state: 'fresh', keys: 2 });
    stack.publish('contoso-2', [next]);
    load.callers = [{ key: next }];
    await load.more(100);
    expect(tally(load.samples)).toEqual({ 200: load.samples.length });
    expect(stack.server.asked('contoso-2', 'metadata')).toBe(2);
  });

  it('without an overlap refuses the new key no longer than the cool-down, and then nobody', async () => {
    await coolDownIsOver(stack);
    // A forged key id, so that the cool-down begins now and hides the new key as long as it can.
    expect(await attempt(stack, { key: stack.foreign })).toMatchObject({ status: 401 });
    stack.publish('contoso-2', [next]);
    const { fetchedAt } = await keySet(stack);
    load.callers = [{ key: next }];
    await expect.poll(async () => (await keySet(stack))['fetchedAt'], { timeout: 3 * coolDown }).not.toBe(fetchedAt);
    await load.more(100);
    await load[Symbol.asyncDispose]();
    const ofNext = load.samples.filter(({ kid }) => kid === next.kid);
    const refused = ofNext.filter(({ status }) => status !== 200);
    expect(Object.keys(tally(refused))).toEqual(['401 caller.unauthenticated']);
    // The first request after the cool-down fetches the key and waits for it: whoever begins later is let in.
    expect(refused.filter(({ at }) => at > Date.parse(fetchedAt as string) + coolDown)).toEqual([]);
    expect(stack.server.asked('contoso-2', 'metadata')).toBe(3);
  });
});

interface FaultyIssuer extends Caller {
  readonly name: string;
  readonly issuer: string;
  readonly next: SigningKey;
  break(server: IssuerServer, attacker: SigningKey): void;
  heal(server: IssuerServer): void;
}

/** One issuer of contoso for each fault, so that all of them happen at once. */
async function faultyIssuers(): Promise<readonly FaultyIssuer[]> {
  return Promise.all(
    faults.map(async ({ document, behaviour }, index) => {
      const name = `faulty-${index}`;
      const stated = `https://login.microsoftonline.com/${name}/v2.0`;
      const [key, next] = await Promise.all([signingKey(`key-of-${name}`), signingKey(`next-of-${name}`)]);
      return {
        name,
        issuer: stated,
        key,
        next,
        break: (server, attacker) => server.behave(name, document, behaviour({ server, issuer: stated, attacker })),
        heal: (server) => server.publish(name, stated, [key.publicJwk, next.publicJwk]),
      };
    }),
  );
}

const titles = faults.map(
  ({ name, document }, index) => [`${name} for the ${document === 'keys' ? 'key set' : 'metadata'}`, index] as const,
);

describe.each([
  { when: 'while keys are held', held: true },
  { when: 'before any key is held', held: false },
])('an issuer in trouble $when, under load', ({ held }) => {
  let stack: TrustStack;
  let load: Load;
  let sick: readonly FaultyIssuer[];
  let broken: number;
  let healed: number;
  const state = { readiness: 0, liveness: 0, recovered: 0 };
  let forged: ReadonlyMap<string, Awaited<ReturnType<typeof attempt>>>;

  beforeAll(async () => {
    sick = await faultyIssuers();
    const publish = (server: IssuerServer): void => {
      for (const { name, issuer: stated, key } of sick) server.publish(name, stated, [key.publicJwk]);
    };
    let attacker!: SigningKey;
    const hurt = (server: IssuerServer): void => {
      for (const one of sick) one.break(server, attacker);
    };
    stack = await startTrustStack({
      configure: ({ tenants, trust }, server) => {
        tenants.contoso.issuers = sick.map(({ name, issuer: stated }) => ({ issuer: stated, metadata: server.metadata(name) }));
        trust.keys.timeout = '500ms';
      },
      beforeStart: async (server) => {
        attacker = await signingKey('attacker');
        server.publish('attacker', 'https://attacker.example/v2.0', [attacker.publicJwk]);
        publish(server);
        if (!held) hurt(server);
      },
    });
    if (held) {
      await stack.ready();
      await Promise.all(sick.map(({ issuer: stated }) => until(async () => (await keySet(stack, stated))['state'] === 'fresh')));
      hurt(stack.server);
      await Promise.all(sick.map(({ issuer: stated }) => coolDownIsOver(stack, stated)));
    }
    broken = Date.now();
    load = new Load(stack, sick);
    // Key ids that are unknown: with keys held each makes the service fetch what cannot be had.
    forged = new Map(
      await Promise.all(
        sick.map(async ({ issuer: stated }) => [stated, await attempt(stack, { key: attacker, issuer: stated })] as const),
      ),
    );
    await load.more(10 * sick.length);
    state.readiness = await stack.readiness();
    state.liveness = (await fetch(`${stack.publicUrl}/health/live`)).status;
    healed = Date.now();
    for (const one of sick) one.heal(stack.server);
    // Tokens under a key that was never published before show that the keys were fetched again.
    const again = ({ issuer: stated, next }: FaultyIssuer): Promise<void> =>
      until(async () => (await attempt(stack, { key: next, issuer: stated })).status === 200);
    await Promise.all(sick.map(again));
    state.recovered = Date.now();
    await load.more(5 * sick.length);
    await load[Symbol.asyncDispose]();
  }, 120_000);
  afterAll(() => stack[Symbol.asyncDispose]());

  it.each(titles)('%s: a valid caller is never refused, and let in as soon as it can be told', (_name, index) => {
    const own = load.samples.filter(({ issuer: stated }) => stated === sick[index]!.issuer);
    const [during, after] = [
      own.filter(({ at, answered }) => at >= broken && answered < healed),
      own.filter(({ at }) => at >= state.recovered),
    ];
    expect(during.length).toBeGreaterThan(3);
    expect(after.length).toBeGreaterThan(1);
    expect(Object.keys(tally(during))).toEqual([held ? '200' : '503 keys.unavailable']);
    expect(Object.keys(tally(after))).toEqual(['200']);
    expect(Object.keys(tally(own)).filter((answer) => answer.startsWith('4'))).toEqual([]);
  });

  it.each(titles)('%s: a key id that is unknown is not called so, and an attacker’s key is never taken', (_name, index) => {
    expect(forged.get(sick[index]!.issuer)).toMatchObject({ status: 503, code: 'keys.unavailable' });
    expect(stack.server.asked('attacker', 'metadata') + stack.server.asked('attacker', 'keys')).toBe(0);
  });

  it('never takes the process along, nor a tenant whose issuer is well', async () => {
    expect(state.liveness).toBe(200);
    expect(state.readiness).toBe(held ? 200 : 503);
    expect(await stack.readiness()).toBe(200);
    expect((await stack.post(await stack.mint('fabrikam-id'), 'fabrikam')).status).toBe(200);
    expect(stack.service.stderr).toBe('');
    expect(largest.bytes).toBeLessThan(20 * 1024 * 1024);
  });
});
