import type { KeyManager } from '#entra-auth';
import type { Metrics } from '#observability';
import type { Door } from '../doors/door.js';
import type { ClaimMappingService } from '../mapping/claim-mapping.service.js';
import type { Sources } from '../sources.js';
import type { Readiness } from './readiness.js';

/** What is read when the metrics are. */
export function registerGauges(
  metrics: Metrics,
  parts: {
    readonly readiness: Readiness;
    readonly sources: Sources;
    readonly keys: KeyManager;
    readonly mappings: ClaimMappingService;
  },
): void {
  const { readiness, sources, keys, mappings } = parts;
  metrics.gauge('claimbridge_ready', '1 where this replica takes sign-ins.', [], () => [[{}, readiness.isReady ? 1 : 0]]);
  metrics.gauge('claimbridge_source_up', '1 where the last operation or probe of a source succeeded.', ['source'], () =>
    sources.health.flatMap(({ name, state }) =>
      state === 'unknown' ? [] : [[{ source: name }, state === 'up' ? 1 : 0] as const],
    ),
  );
  metrics.gauge('claimbridge_source_circuit_open', '1 where a source failed too often and is not asked.', ['source'], () =>
    sources.health.map(({ name, circuit }) => [{ source: name }, circuit === 'open' ? 1 : 0] as const),
  );
  metrics.gauge('claimbridge_cache_entries', 'Answers that are kept, by source.', ['source'], () =>
    sources.kept.map(([source, { entries }]) => [{ source }, entries] as const),
  );
  metrics.gauge('claimbridge_cache_bytes', 'Size of the answers that are kept, by source.', ['source'], () =>
    sources.kept.map(([source, { bytes }]) => [{ source }, bytes] as const),
  );
  metrics.gauge('claimbridge_keys_age_seconds', 'Age of the signing keys held, by issuer.', ['issuer'], () =>
    keys
      .status()
      .flatMap(({ issuer, fetchedAt }) => (fetchedAt ? [[{ issuer }, (Date.now() - Number(fetchedAt)) / 1_000] as const] : [])),
  );
  metrics.gauge('claimbridge_keys', 'Signing keys held, by issuer.', ['issuer'], () =>
    keys.status().map(({ issuer, keys: held }) => [{ issuer }, held] as const),
  );
  metrics.gauge(
    'claimbridge_keys_usable_seconds',
    'Time for which the signing keys held still serve, by issuer.',
    ['issuer'],
    () =>
      keys
        .status()
        .map(
          ({ issuer, usableUntil }) =>
            [{ issuer }, usableUntil ? Math.max(0, (Number(usableUntil) - Date.now()) / 1_000) : 0] as const,
        ),
  );
  metrics.gauge(
    'claimbridge_key_fetches_suppressed',
    'Fetches that an unknown key id did not cause, because the last one was too recent, since the start.',
    ['issuer'],
    () => keys.status().map(({ issuer, suppressedFetches }) => [{ issuer }, suppressedFetches] as const),
  );
  metrics.gauge('claimbridge_mappings', 'Mappings in force, and mappings refused.', ['state'], () => {
    const { snapshot } = mappings.state;
    return [
      [{ state: 'in_force' }, snapshot.mappings],
      [{ state: 'refused' }, snapshot.problems.length],
    ];
  });
  metrics.gauge('claimbridge_mapping_store_up', '1 where the store of mappings could be read last.', [], () => {
    const { state } = mappings.state.store;
    return state === 'unknown' ? [] : [[{}, state === 'up' ? 1 : 0]];
  });
  metrics.gauge('claimbridge_mapping_store_listening', '1 where a publish would be heard of at once.', [], () => [
    [{}, mappings.state.store.listening ? 1 : 0],
  ]);
  metrics.gauge(
    'claimbridge_mappings_age_seconds',
    'Time since the mappings in force were last seen to be those of the store.',
    [],
    () => {
      const { asOf } = mappings.state.snapshot;
      return asOf ? [[{}, (Date.now() - asOf.getTime()) / 1_000]] : [];
    },
  );
}

/** When the doors' own certificates end; nothing for a door without one. */
export function registerCertificateGauge(metrics: Metrics, doors: Readonly<Record<string, Door>>): void {
  metrics.gauge('claimbridge_certificate_seconds', 'Time for which the certificate of a door is still valid.', ['door'], () =>
    Object.entries(doors).flatMap(([door, { certificate }]) =>
      certificate ? [[{ door }, (Number(certificate.expiresAt) - Date.now()) / 1_000] as const] : [],
    ),
  );
}
