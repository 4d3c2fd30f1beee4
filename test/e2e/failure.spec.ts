import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications, eventText } from './event.js';
import { startStack, type Stack } from './stack.js';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    configure: (document) => {
      document['probes'] = { interval: '200ms', timeout: '500ms' };
      // The directory's own limits answer for nobody before the deadline.
      document['sources']['corp-ad'].limits = { ...document['sources']['corp-ad'].limits, operation: '60s', connect: '60s' };
    },
  });
  await stack.ready();
});

afterAll(() => stack[Symbol.asyncDispose]());

/** And long before the directory would be given up. */
const longAfterTheDeadline = 15_000;

const ask = (application: string) => stack.post(eventText(application));

/** Until the service has noticed that a source is back. */
async function recovered(application: string): Promise<void> {
  await expect
    .poll(async () => (await ask(application)).json?.data?.actions[0].claims, { timeout: 20_000 })
    .toMatchObject(
      application === applications.legacyHr ? { employeeNumber: '10042' } : { billingTier: 'gold', department: 'Finance' },
    );
}

describe('when the directory', () => {
  it('hangs, each claim is treated by its own policy, at the deadline', async () => {
    stack.directory.pause();
    try {
      const asked = Promise.all([ask(applications.billingPortal), ask(applications.legacyHr), ask(applications.billingApi)]);
      const answers = await Promise.race([
        asked,
        new Promise((resolve) => setTimeout(resolve, longAfterTheDeadline, 'too late')),
      ]);
      expect(answers).not.toBe('too late');
      const [portal, hr, api] = await asked;
      expect(portal).toMatchObject({ status: 200 });
      expect(portal.json.data.actions[0].claims).toEqual({ billingTier: 'gold' });
      expect(hr).toMatchObject({ status: 503, json: { code: 'claims.unavailable' } });
      expect(api.json.data.actions[0].claims).toMatchObject({ billingTier: 'gold' });
      expect((await stack.simulator.signIn({ application: 'legacy-hr', user: 'adele' })).callout.status).toBe(503);
    } finally {
      stack.directory.resume();
    }
    await recovered(applications.billingPortal);
    await recovered(applications.legacyHr);
  });

  it('cuts every connection, the service finds its way back', async () => {
    for (let round = 0; round < 3; round++) {
      stack.directoryProxy.cut();
      await recovered(applications.legacyHr);
    }
  });
});

describe('when the database', () => {
  it('cannot be reached, a claim that must not be missing fails the sign-in, and nobody else', async () => {
    stack.databaseProxy.blackHole();
    stack.databaseProxy.cut();
    try {
      expect(await ask(applications.billingPortal)).toMatchObject({ status: 503, json: { code: 'claims.unavailable' } });
      expect((await ask(applications.legacyHr)).status).toBe(200);
      expect((await fetch(`${stack.publicUrl}/health/ready`)).status).toBe(200);
    } finally {
      stack.databaseProxy.restore();
    }
    await recovered(applications.billingPortal);
  });

  it('names in the log the claims that failed and the reason, and nothing of the person', async () => {
    stack.databaseProxy.blackHole();
    stack.databaseProxy.cut();
    const from = stack.service.log.length;
    try {
      await ask(applications.billingPortal);
    } finally {
      stack.databaseProxy.restore();
    }
    const line = await stack.service.line(({ msg, status }) => msg === 'event' && status === 503, from);
    expect(line).toMatchObject({
      level: 'error',
      code: 'claims.unavailable',
      mapping: 'billing-portal',
      failedClaims: ['billingTier'],
    });
    expect(line['lookups']).toContainEqual(
      expect.objectContaining({ alias: 'billing', outcome: 'unavailable', reason: expect.any(String) }),
    );
    await recovered(applications.billingPortal);
  });
});
