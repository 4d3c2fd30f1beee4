import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications, eventFor } from './event.js';
import { startStack, type Document, type Stack } from './stack.js';

const everything = { department: 'Executive', tier: 'platinum', costCenter: 'CC-0001' };

/** The chief executive, whom all three systems know. */
const chief = {
  id: '90847c2a-e29d-4d2f-9f54-c5b4d3f20101',
  userType: 'Member',
  mail: 'grace.hopper@corp.example',
  userPrincipalName: 'grace.hopper@corp.example',
  displayName: 'Grace Hopper',
  givenName: 'Grace',
  surname: 'Hopper',
  companyName: 'Corp',
  onPremisesUserPrincipalName: 'grace.hopper@corp.example',
};

/** All that another tenant can give its own user. Entra gives a guest nothing of onPremises…. */
const { onPremisesUserPrincipalName: _, ...chosen } = chief;
const guest = { ...chosen, id: 'b1d7e9a0-6c1f-4c39-a1f5-2d9b7e8c0001', userType: 'Guest' };
const { userType: _none, ...untold } = guest;

/** How each application finds people: as it should, by the mail where the operator says so, and where the mapping says so. */
const lookups: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  [applications.billingPortal]: {
    person: { use: 'corp-ad.user' },
    billing: { use: 'billing-db.located' },
    hr: { use: 'hr-api.located' },
  },
  [applications.legacyHr]: {
    person: { use: 'corp-ad.by-mail' },
    billing: { use: 'billing-db.by-mail' },
    hr: { use: 'hr-api.by-mail' },
  },
  [applications.billingApi]: Object.fromEntries(
    Object.entries({ person: 'corp-ad.by-text', billing: 'billing-db.by-text', hr: 'hr-api.by-text' }).map(([alias, use]) => [
      alias,
      { use, with: { text: 'subject.mail' }, trustUnverified: true },
    ]),
  ),
};

const mappings = Object.entries(lookups).map(([application, asked], index) => ({
  name: `mapping-${index}`,
  tenant: 'contoso',
  applications: [application],
  lookups: asked,
  claims: {
    department: { from: 'person.department' },
    tier: { from: 'billing.tier' },
    costCenter: { from: 'hr.costCenter' },
  },
}));

function configure({ entra, sources }: Document): void {
  // A busy machine has time too: what is shown is who gets what.
  Object.assign(entra, { timeout: '2s', edgeAllowance: '100ms' });
  for (const source of Object.values<Document>(sources)) source['limits'] = { operation: '1800ms' };
  const key = { key: 'onPremisesUserPrincipalName' };
  const mail = { key: 'mail', trustUnverified: true, when: { userType: 'Member' } };
  const filter = (value: string): string => `(&(objectClass=user)(mail={${value}}))`;
  const below = { base: 'ou=People,dc=corp,dc=example', scope: 'subtree' };
  const statement = 'select tier from billing.accounts where upn = $1';
  const request = (value: string): object => ({ path: '/employees', query: { upn: `{${value}}` } });
  const attributes = { costCenter: '/costCenter' };
  sources['corp-ad'].lookups['by-mail'] = { ...below, locate: [{ ...mail, filter: filter('value') }] };
  sources['corp-ad'].lookups['by-text'] = { ...below, parameters: ['text'], filter: filter('text') };
  Object.assign(sources['billing-db'].lookups, {
    located: { locate: [key], statement },
    'by-mail': { locate: [mail], statement },
    'by-text': { parameters: ['text'], statement },
  });
  sources['hr-api'].lookups = {
    located: { locate: [{ ...key, request: request('value') }], attributes },
    'by-mail': { locate: [{ ...mail, request: request('value') }], attributes },
    'by-text': { parameters: ['text'], request: request('text'), attributes },
  };
}

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    configure,
    mappings: Object.fromEntries(mappings.map((mapping) => [`${mapping.name}.yaml`, stringify(mapping)])),
    api: ({ target }) =>
      new URL(target, 'http://hr.example').searchParams.get('upn') === chief.mail
        ? { body: { costCenter: everything.costCenter } }
        : { status: 404 },
  });
  await stack.ready();
});

afterAll(() => stack[Symbol.asyncDispose]());

async function claimsOf(application: string, user: Document): Promise<unknown> {
  const { status, json } = await stack.post(JSON.stringify(eventFor(application, user)));
  return status === 200 ? json.data.actions[0].claims : status;
}

describe.each([
  ['people as it should', applications.billingPortal],
  ['members by their mail, because the operator says so', applications.legacyHr],
  ['members by their mail, because the mapping says so', applications.billingApi],
])('an application that finds %s', (_how, application) => {
  it('gives the chief executive everything, from a directory, a database and an API', async () => {
    expect(await claimsOf(application, chief)).toEqual(everything);
  });

  it('gives a guest with the chief executive’s mail and names nothing, and asks nobody', async () => {
    await claimsOf(application, chief);
    const before = stack.api!.requests.filter(({ method }) => method === 'GET').length;
    expect(await claimsOf(application, guest)).toEqual({});
    expect(await claimsOf(application, untold)).toEqual({});
    expect(await claimsOf(application, { ...guest, userType: 'member ' })).toEqual({});
    expect(stack.api!.requests.filter(({ method }) => method === 'GET')).toHaveLength(before);
  });
});
