import { MappingRepository, MappingStore, Secrets, type CompileContext } from '#claims';
import {
  HttpConnector,
  HttpConnectorModule,
  LdapConnector,
  LdapConnectorModule,
  PostgresConnector,
  PostgresConnectorModule,
  StaticConnector,
  StaticConnectorModule,
  type Connector,
} from '#connectors';
import { KeyManager } from '#entra-auth';
import { FileMappingStore, SnapshotFile, openPostgresMappings, type PostgresMappingRepository } from '#mapping-store';
import { Metrics, createLogger } from '#observability';
import { Module, type DynamicModule, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { Configuration, ReferencedSecrets } from './config.js';
import { EventLog } from './events/event-log.js';
import { EventLoopLag } from './events/event-loop-lag.js';
import { AdminHealth } from './health/admin-health.js';
import { registerGauges } from './health/gauges.js';
import { Readiness } from './health/readiness.js';
import { logAudit } from './mapping/audit-log.js';
import { ClaimMappingService } from './mapping/claim-mapping.service.js';
import { readMappingSecrets } from './mapping/mapping-secrets.js';
import { ServiceLog } from './service-log.js';
import { Sources } from './sources.js';
import { AdminVerifier, EventVerifier, createKeyManager, warnOfForeignCallers } from './trust.js';

/**
 * Everything the two doors share: mappings, sources, keys, metrics. The only file that names concrete adapters: a new connector or
 * store is one line here.
 */
@Module({})
export class CoreModule implements OnApplicationShutdown {
  constructor(
    private readonly keys: KeyManager,
    private readonly mappings: ClaimMappingService,
    private readonly sources: Sources,
    private readonly lag: EventLoopLag,
    private readonly store: MappingStore,
  ) {}

  static of(configuration: Configuration): DynamicModule {
    return {
      module: CoreModule,
      imports: [LdapConnectorModule, PostgresConnectorModule, HttpConnectorModule, StaticConnectorModule],
      providers: [
        { provide: Configuration, useValue: configuration },
        { provide: ServiceLog, useFactory: (): ServiceLog => ({ log: createLogger(configuration.logLevel) }) },
        Metrics,
        EventLoopLag,
        { provide: Secrets, useFactory: () => new ReferencedSecrets(configuration) },
        {
          provide: Sources,
          inject: [Secrets, ServiceLog, Metrics, LdapConnector, PostgresConnector, HttpConnector, StaticConnector],
          useFactory: (secrets: Secrets, { log }: ServiceLog, metrics: Metrics, ...connectors: Connector[]) =>
            new Sources(configuration, connectors, {
              secrets,
              log,
              listener: {
                fetched: ({ source, lookup, outcome, reason, ms }) => {
                  metrics.lookups.inc({ source, lookup, outcome, reason: reason ?? '' });
                  metrics.lookupSeconds.observe({ source, lookup }, ms / 1_000);
                },
                answered: ({ source, lookup, use }) => metrics.answers.inc({ source, lookup, use }),
                circuit: ({ source, state }) => {
                  if (state === 'open') log.error({ source }, 'source: failed too often, not asked until a probe succeeds');
                  else log.info({ source }, 'source: asked again');
                },
              },
            }),
        },
        ...storeProviders(configuration),
        {
          provide: ClaimMappingService,
          inject: [MappingStore, Sources, Secrets, ServiceLog],
          useFactory: async (store: MappingStore, sources: Sources, secrets: Secrets, { log }: ServiceLog) => {
            const { snapshot, tenants } = configuration.document;
            const context: CompileContext = {
              tenants: new Set(Object.keys(tenants)),
              sources: sources.registered,
              secrets: await readMappingSecrets(configuration, secrets),
            };
            return new ClaimMappingService(
              store,
              snapshot && new SnapshotFile(configuration.resolve(snapshot.file)),
              context,
              log,
            );
          },
        },
        {
          provide: KeyManager,
          inject: [Secrets, ServiceLog],
          useFactory: (secrets: Secrets, { log }: ServiceLog) => createKeyManager(configuration, secrets, log),
        },
        {
          provide: EventVerifier,
          inject: [KeyManager, ServiceLog],
          useFactory: (keys: KeyManager, { log }: ServiceLog) => {
            warnOfForeignCallers(configuration.document, log);
            return new EventVerifier(configuration.document, keys);
          },
        },
        {
          provide: AdminVerifier,
          inject: [KeyManager],
          useFactory: (keys: KeyManager) => new AdminVerifier(configuration.document, keys),
        },
        {
          provide: Readiness,
          inject: [ClaimMappingService, EventVerifier],
          useFactory: (mappings: ClaimMappingService, events: EventVerifier) =>
            new Readiness({ mappingsLoaded: () => mappings.state.kind === 'loaded', keysHeld: () => events.ready }),
        },
        {
          provide: EventLog,
          inject: [ServiceLog, Metrics],
          useFactory: ({ log }: ServiceLog, metrics: Metrics) => new EventLog(log, metrics),
        },
        {
          provide: AdminHealth,
          inject: [Readiness, Sources, KeyManager, ClaimMappingService, Secrets, Metrics],
          useFactory: (
            readiness: Readiness,
            sources: Sources,
            keys: KeyManager,
            mappings: ClaimMappingService,
            secrets: ReferencedSecrets,
            metrics: Metrics,
          ) => {
            const parts = { readiness, sources, keys, mappings, secrets };
            registerGauges(metrics, parts);
            return new AdminHealth(parts);
          },
        },
      ],
    };
  }

  /** After both doors are closed: nobody asks any more. */
  async onApplicationShutdown(): Promise<void> {
    this.mappings.close();
    this.lag.close();
    await this.keys.close();
    await this.sources.close();
    await this.store.close();
  }
}

/** The tables of the mapping store, for whoever changes them; undefined where mappings are in files. */
export async function openMappingTables(
  configuration: Configuration,
): Promise<Pick<PostgresMappingRepository, 'migrate' | 'revertMigration' | 'close'> | undefined> {
  const { postgres, polling } = configuration.document.mappings;
  return postgres && openPostgresMappings({ ...postgres, ...postgres.limits, polling }, new ReferencedSecrets(configuration));
}

/** A folder of mappings, to read once. */
export function openMappingFolder(folder: string): MappingStore {
  return new FileMappingStore(folder);
}

/** The store of mappings, and for one in which they can be edited the same as MappingRepository. */
function storeProviders(configuration: Configuration): Provider[] {
  const { folder, postgres, polling } = configuration.document.mappings;
  if (postgres === undefined)
    return [{ provide: MappingStore, useFactory: () => new FileMappingStore(configuration.resolve(folder!), polling) }];
  return [
    {
      provide: MappingRepository,
      inject: [Secrets, ServiceLog],
      useFactory: (secrets: Secrets, { log }: ServiceLog): Promise<MappingRepository> =>
        openPostgresMappings({ ...postgres, ...postgres.limits, polling }, secrets, (entry) => logAudit(log, entry)),
    },
    { provide: MappingStore, useExisting: MappingRepository },
  ];
}
