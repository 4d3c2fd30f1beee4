import { startHttpServer, startTcpProxy, type HttpAnswer, type ReceivedRequest } from '#testing';
import { Secrets } from '#claims';
import { conformancePeople, describeSource } from '../source.conformance.js';
import { HttpConnector } from './http-connector.js';

/** An API of the usual kind: one entry by its key in the path, a list by a query. */
function people({ target }: ReceivedRequest): HttpAnswer {
  const url = new URL(target, 'http://hr.example');
  const [, , key] = url.pathname.split('/');
  if (key !== undefined) {
    const person = conformancePeople.find(({ userPrincipalName }) => userPrincipalName === decodeURIComponent(key));
    return person ? { body: person } : { status: 404, body: { error: 'no such person' } };
  }
  const [property, value] = [...url.searchParams][0] ?? [];
  const items = conformancePeople.filter((person) =>
    Object.entries(person).some(([name, text]) => name === property && text === value),
  );
  return { body: { items } };
}

describeSource('an HTTP API', async () => {
  const server = await startHttpServer(people);
  const proxy = await startTcpProxy(server);
  class NoSecrets extends Secrets {
    override read(reference: string): Promise<string> {
      return Promise.reject(new Error(`${reference}: not expected`));
    }
  }
  const connector = new HttpConnector();
  const attributes = { displayName: '/displayName', department: '/department', otherTelephone: '/otherTelephone' };
  const config = connector.config.parse({
    type: 'http',
    tenants: ['contoso'],
    url: `http://127.0.0.1:${proxy.port}`,
    allowClearText: true,
    allowAddresses: ['127.0.0.1/32'],
    limits: { connect: '200ms', operation: '5s' },
    lookups: {
      person: { parameters: ['upn'], request: { path: '/people/{upn}' }, attributes },
      colleague: {
        parameters: ['department'],
        request: { path: '/people', query: { department: '{department}' } },
        entries: '/items',
        attributes,
      },
      located: {
        locate: [
          {
            key: 'onPremisesUserPrincipalName',
            request: { path: '/people', query: { userPrincipalName: '{value}' } },
          },
        ],
        entries: '/items',
        attributes,
      },
    },
  });
  const log = { warn: () => undefined, error: () => undefined };
  const source = connector.create('hr-api', config, { secrets: new NoSecrets(), log });
  return {
    source,
    network: {
      hang: () => proxy.blackHole(),
      fail: async () => {
        proxy.refuse();
        proxy.cut();
      },
      restore: () => proxy.restore(),
    },
    stop: async () => {
      await source.close();
      await proxy.stop();
      await server.stop();
    },
  };
});
