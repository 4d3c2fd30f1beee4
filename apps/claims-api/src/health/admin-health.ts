import type { KeyManager } from '#entra-auth';
import type { ReferencedSecrets } from '../config.js';
import type { ClaimMappingService } from '../mapping/claim-mapping.service.js';
import type { Sources } from '../sources.js';
import type { Readiness } from './readiness.js';

/** The whole state of this replica, for operators: a line for each source, key set, secret, store and snapshot. Names and codes, no people. */
export class AdminHealth {
  constructor(
    private readonly parts: {
      readonly readiness: Readiness;
      readonly sources: Sources;
      readonly keys: KeyManager;
      readonly mappings: ClaimMappingService;
      readonly secrets: ReferencedSecrets;
    },
  ) {}

  /** `degraded` where something is down, stale or refused although sign-ins are taken. */
  report(): object {
    const { readiness, sources, keys, mappings, secrets } = this.parts;
    const { store, snapshot } = mappings.state;
    const keySets = keys.status();
    const degraded =
      sources.health.some(({ state, warning }) => state === 'down' || warning !== undefined) ||
      keySets.some(({ state }) => state !== 'fresh') ||
      secrets.status.some(({ readable }) => !readable) ||
      store.state === 'down' ||
      snapshot.problems.length > 0 ||
      snapshot.file === 'failed';
    return {
      status: readiness.isDraining ? 'draining' : !readiness.isReady ? 'notReady' : degraded ? 'degraded' : 'ok',
      sources: sources.health,
      keys: keySets,
      secrets: secrets.status,
      store,
      snapshot: { ...snapshot, ageSeconds: snapshot.asOf && Math.round((Date.now() - snapshot.asOf.getTime()) / 1_000) },
    };
  }
}
