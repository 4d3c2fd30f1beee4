import type { Application, Extension } from './config.js';
import type { ClaimValue } from './judge.js';

/**
 * Names that a policy may not give to a claim of a JWT: the ones people try, out of the longer list in Microsoft's claims
 * customization reference. A claims provider may use them for its own keys; only the emitted name is restricted.
 */
const restricted = new Set(
  [
    'acr acrs actor aio altsecid amr appctx appid appidacr at_hash aud auth_time azp azpacr c_hash client_id client_ip cnf code deviceid',
    'email endpoint exp group_sids groups hasgroups home_oid iat identityprovider idp idtyp in_corp ipaddr iss jwk login_hint nameid nbf',
    'nickname nonce oid on_prem_id onprem_sam_account_name onprem_sid password preferred_username primary_sid puid pwd_exp pwd_url',
    'redirect_uri refresh_token resource rh role roles scope scp sid source_anchor sub tenant_ctry tid unique_name upn username uti ver wids',
  ].flatMap((line) => line.split(' ')),
);
const restrictedPrefixes = ['xms_', 'extn.'];

/** A claim stops at the extension's claimsForTokenConfiguration, at the application's mapping, or at its restricted name. */
export interface DroppedClaim {
  readonly claim: string;
  readonly gate: 'extension' | 'application' | 'restricted';
  readonly reason: string;
}

/** Leads the provider's claims through the three gates to the token. All compare with regard to case. */
export function passGates(
  claims: ReadonlyMap<string, ClaimValue>,
  { claimsForTokenConfiguration }: Extension,
  { claimsMapping }: Application,
): { readonly emitted: ReadonlyMap<string, ClaimValue>; readonly dropped: readonly DroppedClaim[] } {
  const emitted = new Map<string, ClaimValue>();
  const dropped: DroppedClaim[] = [];
  const mapped = claimsMapping.map(({ id }) => id);
  for (const [claim, value] of claims) {
    if (!claimsForTokenConfiguration.includes(claim)) {
      dropped.push({
        claim,
        gate: 'extension',
        reason: missing('claimsForTokenConfiguration', claim, claimsForTokenConfiguration),
      });
    } else if (!mapped.includes(claim)) {
      dropped.push({ claim, gate: 'application', reason: missing('the claimsMapping', claim, mapped) });
    } else {
      for (const { id, jwtClaimType } of claimsMapping) {
        if (id !== claim) continue;
        if (isRestricted(jwtClaimType))
          dropped.push({ claim, gate: 'restricted', reason: `${jwtClaimType} is a restricted claim name` });
        else emitted.set(jwtClaimType, value);
      }
    }
  }
  return { emitted, dropped };
}

function isRestricted(name: string): boolean {
  return restricted.has(name) || restrictedPrefixes.some((prefix) => name.startsWith(prefix));
}

function missing(where: string, claim: string, names: readonly string[]): string {
  const alike = names.find((name) => name.toLowerCase() === claim.toLowerCase());
  return `is not in ${where}${alike === undefined ? '' : `; ${alike} is, and case matters`}`;
}
