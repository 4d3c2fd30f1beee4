import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications, eventText } from '../e2e/event.js';
import type { Document } from '../e2e/stack.js';
import { seededMappings, startAdminStack, type AdminStack } from './admin-stack.js';

let stack: AdminStack;
beforeAll(async () => {
  stack = await startAdminStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

const portal = '/admin/v1/mappings/contoso/billing-portal';

async function etagOf(route: string): Promise<string> {
  return (await stack.ask('GET', route)).headers.get('etag')!;
}

/** What a sign-in to the billing portal gets. */
async function signIn(): Promise<Document> {
  const { json } = await stack.post(eventText(applications.billingPortal));
  return json.data.actions[0].claims as Document;
}

describe('a mapping, from its draft to its roll-back', () => {
  it('is in force at the next sign-in after the publish, and what was before after the roll-back', async () => {
    expect(await signIn()).toMatchObject({ department: 'Finance' });
    const { json: before, headers } = await stack.ask('GET', portal);
    const { json: inForce } = await stack.ask('GET', `${portal}/revisions/published`);
    const document = structuredClone(inForce.document) as Document;
    document['claims'].department = { value: 'Treasury' };

    const saved = await stack.ask('PUT', `${portal}/draft`, { body: document, headers: { 'if-match': headers.get('etag')! } });
    expect(saved.status).toBe(200);
    expect(saved.json).toMatchObject({
      published: before.published,
      draft: { author: { name: 'Ada Admin' }, basedOn: before.published.number },
    });
    expect(await signIn()).toMatchObject({ department: 'Finance' });

    const { json: diff, headers: compared } = await stack.ask('GET', `${portal}/diff`);
    expect(compared.get('etag')).toBe(saved.headers.get('etag'));
    expect(diff).toMatchObject({
      from: 'published',
      to: 'draft',
      differences: [{ kind: 'claim', name: 'department', change: 'changed' }],
    });

    const published = await stack.ask('POST', `${portal}/publish`, {
      body: { comment: 'one department for all' },
      headers: { 'if-match': saved.headers.get('etag')! },
    });
    expect(published.status).toBe(200);
    expect(published.json.published).toMatchObject({ number: before.published.number + 1, comment: 'one department for all' });
    await expect.poll(signIn).toMatchObject({ department: 'Treasury' });

    const back = await stack.ask('POST', `${portal}/rollback`, {
      body: { to: before.published.number, comment: 'it was wrong' },
      headers: { 'if-match': published.headers.get('etag')! },
    });
    expect(back.json.published).toMatchObject({ rolledBackTo: before.published.number, revision: before.published.revision });
    await expect.poll(signIn).toMatchObject({ department: 'Finance' });

    const { json: audit } = await stack.ask('GET', '/admin/v1/audit?tenant=contoso&target=billing-portal&limit=3');
    expect(audit.items.map(({ action }: Document) => action)).toEqual([
      'mapping.rollback',
      'mapping.publish',
      'mapping.draft.save',
    ]);
    for (const { actor } of audit.items)
      expect(actor).toEqual({ id: 'a1d4b0f6-2f64-4a7e-8b5d-0c2b9f7d1e44', name: 'Ada Admin', address: '127.0.0.1' });
  });

  it('is out of force after its deletion, and back after the restoration', async () => {
    const deleted = await stack.ask('DELETE', portal, { headers: { 'if-match': await etagOf(portal) } });
    expect(deleted.json).toMatchObject({ deleted: { by: { name: 'Ada Admin' } } });
    expect(deleted.json.published).toBeUndefined();
    await expect.poll(signIn).toEqual({});
    const restored = await stack.ask('POST', `${portal}/restore`, { headers: { 'if-match': deleted.headers.get('etag')! } });
    expect(restored.status).toBe(200);
    await expect.poll(signIn).toMatchObject({ department: 'Finance' });
  });

  it('keeps what is in force where the draft is refused, and says which path and why', async () => {
    const { json: inForce } = await stack.ask('GET', `${portal}/revisions/published`);
    const document = structuredClone(inForce.document) as Document;
    document['claims'].department = { from: 'persn.department' };
    const saved = await stack.ask('PUT', `${portal}/draft`, { body: document, headers: { 'if-match': await etagOf(portal) } });
    const refused = await stack.ask('POST', `${portal}/publish`, { headers: { 'if-match': saved.headers.get('etag')! } });
    expect(refused.status).toBe(422);
    expect(refused.json).toMatchObject({
      code: 'mapping.refused',
      remedy: expect.any(String),
      errors: expect.arrayContaining([
        {
          path: ['claims', 'department', 'from'],
          reason: 'there is no lookup persn in this mapping',
          remedy: expect.stringContaining('person'),
        },
      ]),
    });
    expect(await signIn()).toMatchObject({ department: 'Finance' });
    const discarded = await stack.ask('DELETE', `${portal}/draft`, { headers: { 'if-match': await etagOf(portal) } });
    expect(discarded.json.draft).toBeUndefined();
    expect((await stack.ask('GET', `${portal}/draft`)).json).toMatchObject({ status: 404, code: 'mapping.unknown' });
  });

  it('refuses a publish whose test is red', async () => {
    const { json: inForce } = await stack.ask('GET', `${portal}/revisions/published`);
    const document = structuredClone(inForce.document) as Document;
    document['tests'] = [{ name: 'everybody is gold', subject: { id: 'x' }, given: {}, expect: { billingTier: 'gold' } }];
    const saved = await stack.ask('PUT', `${portal}/draft`, { body: document, headers: { 'if-match': await etagOf(portal) } });
    const refused = await stack.ask('POST', `${portal}/publish`, { headers: { 'if-match': saved.headers.get('etag')! } });
    expect(refused.json).toMatchObject({ status: 422, errors: [{ path: ['tests', 0] }] });
    const { json: validation } = await stack.ask('POST', '/admin/v1/mappings/validate', { body: document });
    expect(validation).toMatchObject({ valid: false, tests: [{ name: 'everybody is gold', passed: false }] });
    await stack.ask('DELETE', `${portal}/draft`, { headers: { 'if-match': await etagOf(portal) } });
  });
});

describe('a claim set', () => {
  const application = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9abc';
  const set = {
    claimSet: 'basics',
    tenant: 'contoso',
    lookups: { person: { use: 'corp-ad.user' } },
    claims: { mobile: { from: 'person.mobile' } },
  };
  const including = {
    name: 'inc',
    tenant: 'contoso',
    applications: [application],
    include: ['basics'],
    claims: { department: { from: 'person.department' } },
  };
  const withoutLookup = { claimSet: 'basics', tenant: 'contoso', claims: { mobile: { value: 'none' } } };
  const broken = [expect.objectContaining({ document: 'inc', path: ['claims', 'department', 'from'] })];

  it('that breaks a mapping is not valid, is not previewed and not published, and each says which mapping', async () => {
    await stack.publish(set);
    await stack.publish(including);
    const preview = { tenant: 'contoso', application, person: { id: 'x' } };
    await expect
      .poll(async () => (await stack.ask('POST', '/admin/v1/preview', { body: preview })).json.mapping?.name)
      .toBe('inc');

    const validated = await stack.ask('POST', '/admin/v1/mappings/validate', { body: withoutLookup });
    expect(validated.json).toMatchObject({ valid: false, issues: broken });
    const previewed = await stack.ask('POST', '/admin/v1/preview', {
      body: { ...preview, mapping: { document: withoutLookup } },
    });
    expect(previewed.json).toMatchObject({ status: 422, code: 'mapping.refused', errors: broken });
    const basics = '/admin/v1/mappings/contoso/basics';
    const saved = await stack.ask('PUT', `${basics}/draft`, {
      body: withoutLookup,
      headers: { 'if-match': await etagOf(basics) },
    });
    const refused = await stack.ask('POST', `${basics}/publish`, { headers: { 'if-match': saved.headers.get('etag')! } });
    expect(refused.json).toMatchObject({ status: 422, errors: broken });

    const validAgain = await stack.ask('POST', '/admin/v1/mappings/validate', { body: set });
    expect(validAgain.json).toMatchObject({ valid: true, issues: [] });
  });
});

it('a document is validated with its tests, also where it is what is in force', async () => {
  const tests = [{ name: 'cook', expect: { menu: 'soup' } }];
  const document = {
    name: 'tested',
    tenant: 'contoso',
    applications: ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9abd'],
    claims: { menu: { value: 'soup' } },
    tests,
  };
  await stack.publish(document);
  const served = async () =>
    (await stack.ask('GET', `/admin/v1/registration?tenant=contoso&application=${document.applications[0]}`)).status;
  await expect.poll(served).toBe(200);
  const { json } = await stack.ask('POST', '/admin/v1/mappings/validate', { body: document });
  expect(json).toMatchObject({ valid: true, tests: [{ name: 'cook', passed: true }] });
});

describe('changes that meet', () => {
  it('412 with the present ETag for whoever saw an earlier state; 428 for whoever does not say', async () => {
    const etag = await etagOf(portal);
    const { json: inForce } = await stack.ask('GET', `${portal}/revisions/published`);
    const save = (headers: Record<string, string>) => stack.ask('PUT', `${portal}/draft`, { body: inForce.document, headers });
    const first = await save({ 'if-match': etag });
    expect(first.status).toBe(200);
    const second = await save({ 'if-match': etag });
    expect(second.status).toBe(412);
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(second.json).toMatchObject({
      code: 'mapping.changed',
      etag: first.headers.get('etag'),
      errors: [{ path: ['If-Match'] }],
    });
    expect((await save({})).json).toMatchObject({ status: 428, code: 'precondition.missing' });
    expect((await save({ 'if-match': '*' })).json).toMatchObject({ status: 400, errors: [{ path: ['If-Match'] }] });
    expect((await save({ 'if-match': '"0"' })).status).toBe(412);
    expect((await save({ 'if-match': '"abc"' })).status).toBe(412);
    await stack.ask('DELETE', `${portal}/draft`, { headers: { 'if-match': first.headers.get('etag')! } });
  });

  it('lets one of many publishes win', async () => {
    const { json: inForce } = await stack.ask('GET', `${portal}/revisions/published`);
    const saved = await stack.ask('PUT', `${portal}/draft`, {
      body: inForce.document,
      headers: { 'if-match': await etagOf(portal) },
    });
    const statuses = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const { status } = await stack.ask('POST', `${portal}/publish`, { headers: { 'if-match': saved.headers.get('etag')! } });
        return status;
      }),
    );
    expect(statuses.toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
  });

  it('carries out once what is sent twice with one Idempotency-Key, and refuses the key for anything else', async () => {
    const document = { tenant: 'contoso', name: 'twice', applications: [applications.cafeteria], claims: { a: { value: 'b' } } };
    const headers = { 'idempotency-key': 'create-twice' };
    const first = await stack.ask('POST', '/admin/v1/mappings', { body: document, headers });
    const again = await stack.ask('POST', '/admin/v1/mappings', { body: document, headers });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await stack.ask('POST', '/admin/v1/mappings', { body: { ...document, name: 'thrice' }, headers });
    expect(other.json).toMatchObject({ status: 422, code: 'idempotency.reused' });
    const without = await stack.ask('POST', '/admin/v1/mappings', { body: document });
    expect(without.json).toMatchObject({ status: 409, code: 'mapping.exists', etag: first.headers.get('etag') });
    const stranger = await stack.mint(['Claims.Edit'], { oid: 'b1d4b0f6-2f64-4a7e-8b5d-0c2b9f7d1e44' });
    const elsewhere = await stack.ask('POST', '/admin/v1/mappings', { body: document, headers, token: stranger });
    expect(elsewhere.json).toMatchObject({ status: 409, code: 'mapping.exists' });
  });
});

it('of many requests with one Idempotency-Key at once one is carried out, and the others wait or are told so', async () => {
  const body = { tenant: 'contoso', name: 'at-once', applications: [applications.cafeteria], claims: { a: { value: 'b' } } };
  const headers = { 'idempotency-key': 'at-once' };
  const answers = await Promise.all(Array.from({ length: 6 }, () => stack.ask('POST', '/admin/v1/mappings', { body, headers })));
  for (const { status, json } of answers)
    if (status === 201) expect(json).toMatchObject({ name: 'at-once', version: 1 });
    else expect(json).toMatchObject({ status: 409, code: 'idempotency.underWay' });
  expect(answers.filter(({ status, headers: sent }) => status === 201 && sent.get('idempotency-replayed') === null)).toHaveLength(
    1,
  );
});

describe('lists', () => {
  it('come page by page, and a filter narrows them', async () => {
    const names: string[] = [];
    let after = '';
    for (;;) {
      const { json } = await stack.ask('GET', `/admin/v1/mappings?limit=1${after}`);
      names.push(...json.items.map(({ name }: Document) => name as string));
      if (json.next === undefined) break;
      after = `&after=${encodeURIComponent(json.next)}`;
    }
    expect(names).toEqual([...names].toSorted());
    expect(names).toEqual(expect.arrayContaining(['billing-api', 'billing-portal', 'legacy-hr']));
    const only = async (query: string): Promise<string[]> =>
      (await stack.ask('GET', `/admin/v1/mappings?${query}`)).json.items.map(({ name }: Document) => name);
    expect(await only('name=BILLING')).toEqual(['billing-api', 'billing-portal']);
    expect(await only(`application=${applications.legacyHr}`)).toEqual(['legacy-hr']);
    expect(await only('state=deleted')).toEqual([]);
    expect(await only('tenant=fabrikam')).toEqual([]);
  });

  it('of revisions have the newest first, and each can be read and compared', async () => {
    const { json: page } = await stack.ask('GET', `${portal}/revisions?limit=2`);
    expect(page.items).toHaveLength(2);
    expect(page.items[0].number).toBeGreaterThan(page.items[1].number);
    const { json: first } = await stack.ask('GET', `${portal}/revisions/1`);
    expect(first).toMatchObject({ number: 1, comment: 'seed', document: { name: 'billing-portal' } });
    const { json: same } = await stack.ask('GET', `${portal}/diff?from=1&to=published`);
    expect(same).toEqual({ from: 1, to: 'published', differences: [] });
    expect((await stack.ask('GET', `${portal}/revisions/999`)).status).toBe(404);
    expect((await stack.ask('GET', `${portal}/diff?from=1&to=draft`)).status).toBe(404);
  });

  it('cannot be compared with a draft that is unfinished, and the answer says which of the two it is', async () => {
    const draft = { tenant: 'contoso', name: 'unfinished', claims: { x: { from: 1 } } };
    await stack.ask('POST', '/admin/v1/mappings', { body: draft });
    for (const query of ['', '?from=draft&to=published']) {
      const { json } = await stack.ask('GET', `/admin/v1/mappings/contoso/unfinished/diff${query}`);
      expect(json).toMatchObject({
        status: 422,
        code: 'mapping.unreadable',
        title: expect.stringMatching(/^The draft /),
        errors: expect.arrayContaining([expect.objectContaining({ path: ['applications'] })]),
      });
    }
  });

  it('answers 304 to whoever has the present state', async () => {
    const etag = await etagOf(portal);
    const answer = await stack.ask('GET', portal, { headers: { 'if-none-match': etag } });
    expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', etag]);
  });
});

describe('export and import', () => {
  it('give back what they took, as drafts, and change nothing where nothing differs', async () => {
    const { json: exported } = await stack.ask('GET', '/admin/v1/mappings/export?tenant=contoso');
    expect(exported.format).toBe('claimbridge-mappings/1');
    expect(exported.documents).toEqual(
      expect.arrayContaining((await seededMappings()).map((each) => expect.objectContaining({ name: each['name'] }))),
    );
    const { json: unchanged } = await stack.ask('POST', '/admin/v1/mappings/import', { body: exported });
    expect(new Set(unchanged.items.map(({ result }: Document) => result))).toEqual(new Set(['unchanged']));

    const portalDocument = exported.documents.find(({ name }: Document) => name === 'billing-portal');
    const changed = structuredClone(portalDocument) as Document;
    changed['claims'].department.whenUnavailable = 'fail';
    const created = { ...portalDocument, name: 'brand-new', applications: ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9aff'] };
    const body = {
      format: exported.format,
      documents: [changed, created, changed, { name: 'lost' }, { ...created, tenant: 'fabrikam' }],
    };
    const trial = await stack.ask('POST', '/admin/v1/mappings/import?tenant=contoso&dryRun=true', { body });
    expect(trial.json).toMatchObject({
      dryRun: true,
      items: [
        { index: 0, result: 'changed', differences: [{ kind: 'claim', name: 'department' }] },
        { index: 1, result: 'created' },
        { index: 2, result: 'refused', issues: [{ path: ['name'] }] },
        { index: 3, result: 'refused', issues: [{ path: ['tenant'] }] },
        { index: 4, result: 'refused', issues: [{ path: ['tenant'] }] },
      ],
    });
    expect(trial.json.items.map(({ version }: Document) => version)).toEqual([
      (await stack.ask('GET', portal)).json.version,
      0,
      undefined,
      undefined,
      undefined,
    ]);
    expect((await stack.ask('GET', '/admin/v1/mappings/contoso/brand-new')).status).toBe(404);
    const done = await stack.ask('POST', '/admin/v1/mappings/import?tenant=contoso', { body });
    expect(done.json.items.slice(0, 2)).toEqual(
      trial.json.items.slice(0, 2).map((item: Document) => ({ ...item, version: item['version'] + 1 })),
    );
    expect((await stack.ask('GET', '/admin/v1/mappings/contoso/brand-new/draft')).json.document).toEqual(created);
    const again = await stack.ask('POST', '/admin/v1/mappings/import?tenant=contoso', { body });
    expect(again.json.items.slice(0, 2)).toEqual([done.json.items[0], { ...done.json.items[1], result: 'changed' }]);
    const otherwise = structuredClone(changed) as Document;
    otherwise['claims'].department.whenUnavailable = 'omit';
    otherwise['claims'].more = { value: 'x' };
    const conflict = await stack.ask('POST', '/admin/v1/mappings/import?tenant=contoso', {
      body: { ...body, documents: [otherwise] },
    });
    expect(conflict.json.items[0]).toMatchObject({
      result: 'conflict',
      issues: [{ remedy: expect.stringContaining('replaceDrafts') }],
    });
    const replaced = await stack.ask('POST', '/admin/v1/mappings/import?replaceDrafts=true', {
      body: { ...body, documents: [changed] },
    });
    expect(replaced.json.items[0]).toMatchObject({ result: 'changed' });
  });

  it('are compared by who may only read, and nothing is saved or recorded', async () => {
    const token = await stack.mint(['Claims.Read']);
    const { json: exported } = await stack.ask('GET', '/admin/v1/mappings/export?tenant=contoso', { token });
    const documents = structuredClone(exported.documents) as Document[];
    const changed = documents.find(({ name }) => name === 'billing-portal')!;
    const others = documents.filter((each) => each !== changed);
    changed['claims'].compared = { value: 'x' };
    const created = { ...changed, name: 'only-compared', applications: ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9afd'] };
    const { json: present, headers } = await stack.ask('GET', portal);
    if (present.draft) await stack.ask('DELETE', `${portal}/draft`, { headers: { 'if-match': headers.get('etag')! } });
    const body = { format: exported.format, documents: [changed, ...others, created] };
    const recorded = async (): Promise<unknown> => (await stack.ask('GET', '/admin/v1/audit')).json.items;
    const known = async (): Promise<unknown> => (await stack.ask('GET', '/admin/v1/mappings')).json;
    const before = [await recorded(), await known()];
    const compared = await stack.ask('POST', '/admin/v1/mappings/compare', { body, token });
    expect([compared.status, compared.json.dryRun]).toEqual([200, true]);
    expect(compared.json.items.map(({ result }: Document) => result)).toEqual([
      'changed',
      ...others.map(() => 'unchanged'),
      'created',
    ]);
    expect([await recorded(), await known()]).toEqual(before);
    const { json: trial } = await stack.ask('POST', '/admin/v1/mappings/import?dryRun=true', { body });
    expect(compared.json).toEqual(trial);
    expect((await stack.ask('POST', '/admin/v1/mappings/import', { body, token })).status).toBe(403);
    expect((await stack.ask('POST', '/admin/v1/mappings/import?dryRun=true', { body, token })).status).toBe(403);
  });

  it('a dry run with an Idempotency-Key is done each time', async () => {
    const headers = { 'idempotency-key': 'dry' };
    const { json: body } = await stack.ask('GET', '/admin/v1/mappings/export?tenant=contoso');
    for (let round = 0; round < 2; round++) {
      const answer = await stack.ask('POST', '/admin/v1/mappings/import?dryRun=true', { body, headers });
      expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([200, null]);
    }
  });

  it('takes YAML from people with an editor', async () => {
    const yaml =
      'name: by-hand\ntenant: contoso\napplications: [3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9afe]\nclaims: { a: { value: b } }\n';
    const headers = { 'content-type': 'application/yaml' };
    expect((await stack.ask('POST', '/admin/v1/mappings', { body: yaml, headers })).status).toBe(201);
  });
});

describe('a store that cannot be reached', () => {
  it('is 503 with the remedy, and sign-ins go on', async () => {
    stack.storeProxy.refuse();
    stack.storeProxy.cut();
    try {
      const answer = await stack.ask('GET', portal);
      expect(answer.json).toMatchObject({ status: 503, code: 'repository.unavailable', remedy: expect.any(String) });
      expect(answer.json.remedy).not.toContain('may have happened');
      const change = await stack.ask('POST', `${portal}/publish`, { headers: { 'if-match': '"1"' } });
      expect(change.json).toMatchObject({ status: 503, remedy: expect.stringContaining('may have happened') });
      const body = { tenant: 'contoso', application: applications.billingPortal, person: { id: 'x' } };
      expect((await stack.ask('POST', '/admin/v1/preview', { body })).json).toMatchObject({ code: 'repository.unavailable' });
      expect(await signIn()).toMatchObject({ department: 'Finance' });
    } finally {
      await stack.storeProxy.restore();
    }
    await expect.poll(async () => (await stack.ask('GET', portal)).status, { timeout: 20_000 }).toBe(200);
  });
});
