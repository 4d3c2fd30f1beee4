import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyReply, FastifyRequest } from 'fastify';
import passport from 'passport';
import { EntraAuthError, forbidden, limited, unauthenticated } from './entra-auth-error.js';
import { EntraBearer } from './entra-bearer.js';
import type { FailureLimit } from './failure-limit.js';
import { routeAccess } from './route-access.js';
import { refused, type RefusalCode, type VerifiedCaller } from './token-claims.js';
import type { TokenVerifier } from './token-verifier.js';

export interface EntraGuardOptions {
  /** The request's time in milliseconds from its receipt; at most half of what is left of it is waited for keys. */
  readonly deadline?: number;
  /** Answers failed authentications of one peer by 429 once they are too many. Who can authenticate is never limited. */
  readonly failureLimit?: FailureLimit;
  /** Told of every authentication. */
  readonly onVerdict?: (verdict: AuthenticationVerdict) => void;
}

/** `keys.unavailable` where it could not be told. */
export type AuthenticationVerdict = 'accepted' | RefusalCode | 'keys.unavailable';

export interface AdminGuardOptions extends EntraGuardOptions {
  /** Who may call for itself, and who for a user: application ids in lower case. Absent: whom the verifier accepts. */
  readonly callers?: { readonly applications: readonly string[]; readonly delegated: readonly string[] };
  /** A scope that a delegated token must have, besides the role. Any scope of our API by default. */
  readonly scope?: string;
}

/** Kept with the request: a WeakMap of all requests is work for every collection of young objects. */
const sentBy = Symbol('caller');
type Authenticated = object & { [sentBy]?: VerifiedCaller };

let registered = 0;

/**
 * Who sent a request that passed one of the guards below.
 * @throws Error where none of them ran: a defect, not an unknown caller
 */
export function callerOf(request: Authenticated): VerifiedCaller {
  const caller = request[sentBy];
  if (!caller) throw new Error('callerOf: no guard of entra-auth has run for this request');
  return caller;
}

/** Lets those requests pass whose token the verifier accepts, on a Nest application with Fastify. Answers 401 or 503 otherwise. */
export function entraGuard(verifier: TokenVerifier, options: EntraGuardOptions = {}): CanActivate {
  return bearerGuard('entra', verifier, options);
}

/**
 * As `entraGuard`, and the route must say who may use it: by `RequireRole` or by `OpenRoute`. One that says neither is refused with
 * 403. A delegated token needs the scope as well as the role.
 */
export function adminGuard(verifier: TokenVerifier, options: AdminGuardOptions = {}): CanActivate {
  const bearer = bearerGuard('entra-admin', verifier, options);
  return {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      const access = routeAccess(context.getHandler(), context.getClass());
      if (access.kind === 'open') return true;
      if (access.kind === 'undeclared') throw forbidden('the route declares no role');
      await bearer.canActivate(context);
      const caller = callerOf(context.switchToHttp().getRequest<object>());
      if (options.callers && !options.callers[caller.delegated ? 'delegated' : 'applications'].includes(caller.appId))
        throw forbidden(`the application may not call ${caller.delegated ? 'for users' : 'for itself'}`);
      if (!access.roles.some((role) => caller.roles.includes(role)))
        throw forbidden(
          `needs a role of: ${access.roles.join(', ')}`,
          `The token needs the app role ${access.roles.join(' or ')}.`,
        );
      if (caller.delegated && !hasScope(caller, options.scope)) throw forbidden('the delegated token lacks the scope');
      return true;
    },
  };
}

function hasScope({ scopes }: VerifiedCaller, scope: string | undefined): boolean {
  return scope === undefined ? scopes.length > 0 : scopes.includes(scope);
}

/**
 * Passport's registry belongs to the process, not to an application, so each guard registers its strategy under a name of its own:
 * several applications in one process, or one with two audiences, never use each other's.
 */
function bearerGuard(kind: 'entra' | 'entra-admin', verifier: TokenVerifier, options: EntraGuardOptions): CanActivate {
  const { deadline, failureLimit, onVerdict } = options;
  const name = `${kind}-${(registered += 1)}`;
  const strategy = new EntraBearer({ verifier }, (caller, done) => done(null, caller));
  passport.use(name, strategy);
  const accept = (request: Authenticated, caller: VerifiedCaller): void => {
    onVerdict?.('accepted');
    request[sentBy] = caller;
  };
  class Guard extends AuthGuard(name) {
    override getAuthenticateOptions(context: ExecutionContext): { session: false; keyWaitMs?: number } {
      if (deadline === undefined) return { session: false };
      const { elapsedTime } = context.switchToHttp().getResponse<FastifyReply>();
      return { session: false, keyWaitMs: Math.max(0, (deadline - elapsedTime) / 2) };
    }

    override handleRequest<Caller = VerifiedCaller>(
      error: unknown,
      caller: Caller | false,
      info: unknown,
      context: ExecutionContext,
    ): Caller {
      const request = context.switchToHttp().getRequest<FastifyRequest>();
      if (error) {
        if (error instanceof EntraAuthError) onVerdict?.('keys.unavailable');
        throw error;
      }
      if (!caller) {
        const failure =
          info instanceof EntraAuthError ? info : unauthenticated(refused('token.malformed', 'the strategy refused it'));
        onVerdict?.(failure.refusal ?? 'token.malformed');
        const wait = failureLimit?.count(request.ip) ?? 0;
        throw wait > 0 ? limited(failure, wait) : failure;
      }
      accept(request, caller as Caller & VerifiedCaller);
      return caller;
    }
  }
  const guard = new Guard();
  return {
    canActivate(context: ExecutionContext) {
      // What was verified a short while ago needs no passport: nothing is left to decide, or to wait for.
      const request = context.switchToHttp().getRequest<FastifyRequest & { user?: unknown }>();
      const caller = strategy.recall(request);
      if (!caller) return guard.canActivate(context);
      accept(request, caller);
      request.user = caller;
      return true;
    },
  };
}
