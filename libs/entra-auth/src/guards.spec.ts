import 'reflect-metadata';
import { request as httpRequest } from 'node:http';
import {
  Catch,
  Controller,
  Get,
  Module,
  Put,
  Req,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PassportStrategy } from '@nestjs/passport';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import passport from 'passport';
import BearerStrategy from 'passport-azure-ad/lib/bearerstrategy.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { IssuerServer, answerJson, signToken, signingKey, type SigningKey } from '../test/issuer-server.js';
import {
  EntraAuthError,
  EntraBearer,
  OpenRoute,
  RequireRole,
  adminGuard,
  assertRoutesDeclareRole,
  callerOf,
  entraGuard,
  type AdminGuardOptions,
} from './index.js';
import { FailureLimit } from './failure-limit.js';
import { KeyManager } from './key-manager.js';
import type { VerifiedCaller } from './token-claims.js';
import { TokenVerifier } from './token-verifier.js';

const tenantId = '5f1c6b0e-0d0a-4b52-9c33-0a7f1f6f2a11';
const issuer = `https://login.microsoftonline.com/${tenantId}/v2.0`;
const app = 'c7a0b0d2-3a1f-4f0e-9f0a-2b6c4d8e1f55';

let server: IssuerServer;
let key: SigningKey;
let keys: KeyManager;
const failures: unknown[] = [];
const open: NestFastifyApplication[] = [];

@Catch()
class ErrorsByShape implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    failures.push(error);
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (error instanceof EntraAuthError) void reply.status(error.status).headers(error.headers).send({ code: error.code });
    else void reply.status(500).send({});
  }
}

function verifierFor(audience: string, manager: KeyManager = keys): TokenVerifier {
  const issuers = [{ issuer, metadata: server.metadata('contoso') }];
  return new TokenVerifier({ tenants: [{ alias: 'contoso', tenantId, audiences: [audience], issuers }] }, manager);
}

async function serve(controller: new () => object): Promise<NestFastifyApplication> {
  @Module({ controllers: [controller] })
  class Door {}
  const door = await NestFactory.create<NestFastifyApplication>(Door, new FastifyAdapter(), { logger: false });
  open.push(door);
  door.useGlobalFilters(new ErrorsByShape());
  await door.init();
  return door;
}

async function serveGuarded(guard: CanActivate): Promise<NestFastifyApplication> {
  @Controller()
  @UseGuards(guard)
  class Events {
    @Put('event')
    event(@Req() request: object): object {
      return callerOf(request);
    }
  }
  return serve(Events);
}

async function serveAdmin(options: AdminGuardOptions = {}): Promise<NestFastifyApplication> {
  @Controller()
  @UseGuards(adminGuard(verifierFor('events'), options))
  class Admin {
    @Put('event')
    @RequireRole('Claims.Read', 'Claims.Edit')
    read(@Req() request: object): object {
      return callerOf(request);
    }

    @Put('open')
    @OpenRoute()
    open(): object {
      return {};
    }

    @Put('undeclared')
    undeclared(): object {
      return this.noRoute();
    }

    noRoute(): object {
      return {};
    }
  }
  return serve(Admin);
}

async function token(change: object = {}, by: SigningKey = key): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return signToken(by, { iss: issuer, aud: 'events', tid: tenantId, azp: app, ver: '2.0', iat: now, exp: now + 600, ...change });
}

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly challenge?: string;
  readonly caller?: string;
}

async function ask(door: NestFastifyApplication, more: object = {}): Promise<Answer> {
  const response = await door.inject({ method: 'PUT', url: '/event', ...more });
  const { code, tenant } = response.json<{ code?: string; tenant?: string }>();
  return {
    status: response.statusCode,
    code,
    challenge: response.headers['www-authenticate'] as string | undefined,
    caller: tenant,
  };
}

const bearer = (value: string, scheme = 'Bearer'): object => ({ headers: { authorization: `${scheme} ${value}` } });
const lastFailure = (): EntraAuthError => failures.at(-1) as EntraAuthError;
const unauthenticated = { status: 401, code: 'caller.unauthenticated' };

beforeAll(async () => {
  server = await IssuerServer.start();
  key = await signingKey('key');
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.requests.clear();
  server.publish('contoso', issuer, [key.publicJwk]);
  keys = new KeyManager({ issuers: [{ issuer, metadata: server.metadata('contoso') }], ca: server.ca, timeoutMs: 1_000 });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((door) => door.close()));
  await keys.close();
  failures.length = 0;
});

describe('the guard of events', () => {
  it('lets the caller in and tells who it is', async () => {
    const door = await serveGuarded(entraGuard(verifierFor('events')));
    for (const scheme of ['Bearer', 'bearer', 'BEARER '])
      expect(await ask(door, bearer(await token(), scheme))).toMatchObject({ status: 200, caller: 'contoso' });
  });

  it('challenges without a code where no token came, and with one where it is refused', async () => {
    const door = await serveGuarded(entraGuard(verifierFor('events')));
    expect(await ask(door)).toMatchObject({ ...unauthenticated, challenge: 'Bearer' });
    expect(lastFailure().refusal).toBe('token.missing');
    expect(await ask(door, bearer(await token({ aud: 'other' })))).toMatchObject({
      ...unauthenticated,
      challenge: 'Bearer error="invalid_token"',
    });
    expect(lastFailure()).toMatchObject({ refusal: 'token.audience', publicMessage: 'The caller is not authenticated.' });
  });

  it.each(['', 'Bearer', 'Bearer ', 'Basic eDp5', 'Bearer a b', 'Bearer a, Bearer b', 'Bearer\ta', 'bearer:a'])(
    'refuses the header "%s"',
    async (authorization) => {
      const door = await serveGuarded(entraGuard(verifierFor('events')));
      expect(await ask(door, { headers: { authorization } })).toMatchObject(unauthenticated);
    },
  );

  it('never takes a token from body or query', async () => {
    const door = await serveGuarded(entraGuard(verifierFor('events')));
    const good = await token();
    expect(await ask(door, { payload: { access_token: good } })).toMatchObject(unauthenticated);
    expect(await ask(door, { query: { access_token: good } })).toMatchObject(unauthenticated);
    expect(await ask(door, { payload: { access_token: 'x' }, query: { access_token: 'x' }, ...bearer(good) })).toMatchObject({
      status: 200,
    });
    const principal = { 'x-ms-client-principal': 'e30=', 'x-ms-token-aad-access-token': good };
    expect(await ask(door, { headers: principal })).toMatchObject(unauthenticated);
  });

  it('refuses two Authorization headers, of which Node shows only the first', async () => {
    const door = await serveGuarded(entraGuard(verifierFor('events')));
    await door.listen(0, '127.0.0.1');
    const { port } = new URL(await door.getUrl());
    const good = `Bearer ${await token()}`;
    const status = async (...values: string[]): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = [
          'Host',
          'x',
          'Connection',
          'close',
          'Content-Length',
          '0',
          ...values.flatMap((value) => ['Authorization', value]),
        ];
        httpRequest({ port, host: '127.0.0.1', method: 'PUT', path: '/event', headers }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        })
          .on('error', reject)
          .end();
      });
    expect(await status(good)).toBe(200);
    expect(await status(good, good)).toBe(401);
    expect(await status(good, 'Bearer forged')).toBe(401);
  });

  it('answers 503 where keys cannot be had, and lets in as soon as they can', async () => {
    server.behave('contoso', 'metadata', answerJson({}, 503));
    await keys.close();
    keys = new KeyManager({
      issuers: [{ issuer, metadata: server.metadata('contoso') }],
      ca: server.ca,
      times: { firstPause: 0 },
    });
    const door = await serveGuarded(entraGuard(verifierFor('events')));
    const response = await door.inject({ method: 'PUT', url: '/event', ...bearer(await token()) });
    expect(response.statusCode).toBe(503);
    expect(response.json()).toEqual({ code: 'keys.unavailable' });
    expect(response.headers).toMatchObject({ 'retry-after': '1' });
    expect(response.headers).not.toHaveProperty('www-authenticate');
    server.publish('contoso', issuer, [key.publicJwk]);
    expect(await ask(door, bearer(await token()))).toMatchObject({ status: 200 });
  });

  it('waits for keys no longer than the deadline of the request allows', async () => {
    server.behave('contoso', 'metadata', () => undefined);
    await keys.close();
    keys = new KeyManager({ issuers: [{ issuer, metadata: server.metadata('contoso') }], ca: server.ca, timeoutMs: 60_000 });
    const door = await serveGuarded(entraGuard(verifierFor('events'), { deadline: 10 }));
    expect(await ask(door, bearer(await token()))).toMatchObject({ status: 503, code: 'keys.unavailable' });
  });

  it('says nothing of the token, neither in the answer nor in the log', async () => {
    const door = await serveGuarded(entraGuard(verifierFor('events')));
    const secret = 'a-value-of-a-claim';
    for (const claim of ['iss', 'aud', 'tid', 'azp', 'ver', 'scp']) {
      const bad = await token({ [claim]: claim === 'scp' ? [secret] : { secret } });
      const response = await door.inject({ method: 'PUT', url: '/event', ...bearer(bad) });
      expect(response.statusCode).toBe(401);
      const told = JSON.stringify(response.headers) + response.body + JSON.stringify(lastFailure()) + String(lastFailure().stack);
      expect(told).not.toContain(secret);
      expect(told).not.toContain(bad);
    }
  });

  it('limits the failures of a peer, and nobody who can authenticate', async () => {
    const verdicts: string[] = [];
    const failureLimit = new FailureLimit({ failures: 2, window: 60_000 });
    const onVerdict = (verdict: string): void => void verdicts.push(verdict);
    const door = await serveGuarded(entraGuard(verifierFor('events'), { failureLimit, onVerdict }));
    const good = bearer(await token());
    for (const bad of [{}, bearer('x'), bearer(await token({ exp: 1 }))]) await ask(door, bad);
    expect(await ask(door, bearer('x'))).toMatchObject({ status: 429, code: 'caller.limited', challenge: undefined });
    expect(lastFailure().headers).toEqual({ 'retry-after': '60', connection: 'close' });
    expect(await ask(door, good)).toMatchObject({ status: 200 });
    expect(await ask(door, { ...bearer('x'), remoteAddress: '192.0.2.9' })).toMatchObject(unauthenticated);
    expect(verdicts).toEqual([
      'token.missing',
      'token.malformed',
      'token.expired',
      'token.malformed',
      'accepted',
      'token.malformed',
    ]);
  });

  it('counts no failure of a peer where keys cannot be had', async () => {
    server.behave('contoso', 'metadata', answerJson({}, 503));
    const failureLimit = new FailureLimit({ failures: 1, window: 60_000 });
    const verdicts: string[] = [];
    const onVerdict = (verdict: string): void => void verdicts.push(verdict);
    const door = await serveGuarded(entraGuard(verifierFor('events'), { failureLimit, onVerdict }));
    for (let call = 0; call < 3; call += 1) expect(await ask(door, bearer(await token()))).toMatchObject({ status: 503 });
    expect(verdicts).toEqual(Array(3).fill('keys.unavailable'));
  });

  it('asks passport once for a token, and again as soon as its verdict does not count, refusing what has expired', async () => {
    let clock = Date.now();
    const issuers = [{ issuer, metadata: server.metadata('contoso') }];
    const trust = { tenants: [{ alias: 'contoso', tenantId, audiences: ['events'], issuers }] };
    const verifier = new TokenVerifier(trust, keys, () => clock);
    const verify = vi.spyOn(verifier, 'verify');
    const verdicts: string[] = [];
    const door = await serveGuarded(entraGuard(verifier, { onVerdict: (verdict) => void verdicts.push(verdict) }));
    const mine = bearer(await token({ exp: Math.floor(clock / 1_000) + 400 }));
    for (let call = 0; call < 3; call += 1) expect(await ask(door, mine)).toMatchObject({ status: 200, caller: 'contoso' });
    expect(verify).toHaveBeenCalledTimes(1);
    clock += 300_000;
    for (let call = 0; call < 2; call += 1) expect(await ask(door, mine)).toMatchObject({ status: 200, caller: 'contoso' });
    expect(verify).toHaveBeenCalledTimes(2);
    clock += 160_000;
    expect(await ask(door, mine)).toMatchObject(unauthenticated);
    expect(lastFailure().refusal).toBe('token.expired');
    expect(verdicts).toEqual([...Array(5).fill('accepted'), 'token.expired']);
  });

  it('keeps several guards in one process apart, also under load', async () => {
    const [events, others] = [
      await serveGuarded(entraGuard(verifierFor('events'))),
      await serveGuarded(entraGuard(verifierFor('others'))),
    ];
    const [forEvents, forOthers] = [bearer(await token()), bearer(await token({ aud: 'others' }))];
    const answers = await Promise.all(
      Array.from({ length: 40 }, async () =>
        Promise.all([ask(events, forEvents), ask(events, forOthers), ask(others, forOthers), ask(others, forEvents)]),
      ),
    );
    for (const statuses of answers) expect(statuses.map(({ status }) => status)).toEqual([200, 401, 200, 401]);
  });
});

describe('EntraBearer', () => {
  it('is a strategy of passport-azure-ad that @nestjs/passport registers by the name one likes', async () => {
    class EntraStrategy extends PassportStrategy(EntraBearer, 'entra-by-name') {
      override validate(caller: VerifiedCaller): string {
        return caller.tenant;
      }
    }
    const strategy = new EntraStrategy({ verifier: verifierFor('events') });
    expect(strategy).toBeInstanceOf(BearerStrategy);
    const outcome = await new Promise((resolve) => {
      const authenticate = passport.authenticate('entra-by-name', { session: false }, (error: unknown, user: unknown) =>
        resolve([error, user]),
      ) as (...parts: unknown[]) => void;
      void token().then((good) => authenticate({ rawHeaders: ['authorization', `Bearer ${good}`] }, {}, resolve));
    });
    passport.unuse('entra-by-name');
    expect(outcome).toEqual([null, 'contoso']);
  });
});

describe('the guard of the admin API', () => {
  it('asks for one of the roles', async () => {
    const door = await serveAdmin();
    expect(await ask(door)).toMatchObject(unauthenticated);
    expect(await ask(door, bearer(await token()))).toMatchObject({ status: 403, code: 'caller.forbidden' });
    expect(await ask(door, bearer(await token({ roles: ['Claims.Publish', 'claims.read'] })))).toMatchObject({ status: 403 });
    expect(await ask(door, bearer(await token({ roles: ['Claims.Edit'] })))).toMatchObject({ status: 200, caller: 'contoso' });
  });

  it('asks a delegated token for the scope as well', async () => {
    const roles = ['Claims.Read'];
    const anyScope = await serveAdmin();
    expect(await ask(anyScope, bearer(await token({ roles, scp: '' })))).toMatchObject({ status: 403 });
    expect(await ask(anyScope, bearer(await token({ roles, scp: 'x' })))).toMatchObject({ status: 200 });
    const oneScope = await serveAdmin({ scope: 'Claims.Manage' });
    expect(await ask(oneScope, bearer(await token({ roles, scp: 'x' })))).toMatchObject({ status: 403 });
    expect(await ask(oneScope, bearer(await token({ scp: 'Claims.Manage' })))).toMatchObject({ status: 403 });
    expect(await ask(oneScope, bearer(await token({ roles, scp: 'x Claims.Manage' })))).toMatchObject({ status: 200 });
    expect(await ask(oneScope, bearer(await token({ roles })))).toMatchObject({ status: 200 });
  });

  it('tells those who call for themselves from those who call for a user', async () => {
    const roles = ['Claims.Read'];
    const door = await serveAdmin({ callers: { applications: [app], delegated: [] } });
    expect(await ask(door, bearer(await token({ roles })))).toMatchObject({ status: 200 });
    expect(await ask(door, bearer(await token({ roles, scp: 'x' })))).toMatchObject({ status: 403 });
    const users = await serveAdmin({ callers: { applications: [], delegated: [app] } });
    expect(await ask(users, bearer(await token({ roles })))).toMatchObject({ status: 403 });
    expect(await ask(users, bearer(await token({ roles, scp: 'x' })))).toMatchObject({ status: 200 });
    expect(await ask(users, bearer(await token({ roles, scp: 'x', idtyp: 'app' })))).toMatchObject(unauthenticated);
  });

  it('lets everybody use an open route, and nobody one that declares nothing', async () => {
    const door = await serveAdmin();
    expect(await ask(door, { url: '/open' })).toMatchObject({ status: 200 });
    expect(await ask(door, { url: '/undeclared', ...bearer(await token({ roles: ['Claims.Read'] })) })).toMatchObject({
      status: 403,
    });
  });

  it('and a route that declares nothing stops the start', async () => {
    const door = await serveAdmin();
    expect(() => assertRoutesDeclareRole(door, ['Claims.Read'])).toThrow(/neither RequireRole nor OpenRoute: Admin\.undeclared$/);
  });

  it('takes what the controller declares for its routes', async () => {
    @Controller()
    @RequireRole('Claims.Read')
    @UseGuards(adminGuard(verifierFor('events')))
    class Declared {
      @Put('event')
      event(): object {
        return { tenant: this.helper() };
      }

      @Get('open')
      @OpenRoute()
      open(): object {
        return {};
      }

      helper(): string {
        return 'contoso';
      }
    }
    const door = await serve(Declared);
    expect(() => assertRoutesDeclareRole(door, ['Claims.Read'])).not.toThrow();
    expect(() => assertRoutesDeclareRole(door, ['Claims.Edit'])).toThrow(/a role that does not exist: Declared\.event$/);
    expect(await ask(door, bearer(await token()))).toMatchObject({ status: 403 });
    expect(await ask(door, bearer(await token({ roles: ['Claims.Read'] })))).toMatchObject({ status: 200, caller: 'contoso' });
    expect(await ask(door, { method: 'GET', url: '/open' })).toMatchObject({ status: 200 });
  });
});

it('callerOf is a defect where no guard ran', () => {
  expect(() => callerOf({})).toThrow('no guard');
});
