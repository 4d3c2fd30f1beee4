import type { Server } from 'node:https';
import { authEventAdapter, takeBodiesAsBytes, type ProblemReport } from '#auth-events';
import { Secrets } from '#claims';
import type { ServiceDocument } from '#configuration';
import { FailureLimit } from '#entra-auth';
import { Metrics } from '#observability';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigurationError } from '../configuration/configuration-error.js';
import { Configuration } from '../config.js';
import { NestLog } from '../nest-log.js';
import { ServiceLog } from '../service-log.js';
import { RefusalLog } from './refusal-log.js';
import { ServerCertificate } from './server-certificate.js';

/** An HTTP server of its own with routes of its own. */
export interface Door {
  readonly url: string;
  readonly certificate?: ServerCertificate;
  /** Refuses new connections, waits for the requests in flight, and cuts those that are still there after `limit` milliseconds. */
  close(limit: number): Promise<void>;
}

export type DoorName = keyof ServiceDocument['listen'];

const failureWindow = 60_000;

/** A door that is being made: complete its application, then `open` it. */
export class DoorFrame {
  private constructor(
    readonly app: NestFastifyApplication,
    /** What the door's guard is told. */
    readonly guard: {
      readonly failureLimit: FailureLimit;
      readonly onVerdict: (verdict: string) => void;
    },
    readonly refusals: RefusalLog,
    private readonly document: ServiceDocument['listen'][DoorName],
    private readonly certificate: ServerCertificate | undefined,
  ) {}

  /**
   * @param onUnreadable told of what is refused before there is a request, and whether it gets a log line
   * @throws ConfigurationError where its certificate cannot be used
   */
  static async make(
    core: INestApplicationContext,
    name: DoorName,
    module: (guard: DoorFrame['guard']) => Parameters<typeof NestFactory.create>[0],
    onUnreadable: (problem: ProblemReport, logged: boolean) => void,
  ): Promise<DoorFrame> {
    const configuration = core.get(Configuration);
    const document = configuration.document.listen[name];
    const { log } = core.get(ServiceLog);
    const metrics = core.get(Metrics);
    const certificate = await certificateOf(configuration, name, { secrets: core.get(Secrets), log });
    const guard = {
      failureLimit: new FailureLimit({
        failures: document.limits.failedAuthentications,
        window: failureWindow,
        onExceeded: (peer) =>
          log.warn({ door: name, peer }, 'a peer failed to authenticate too often: its failures are not logged for a while'),
      }),
      onVerdict: (verdict: string) => metrics.authentications.inc({ door: name, verdict }),
    };
    const { trustedProxies, limits } = document;
    const refusals = new RefusalLog(name, limits.failedAuthentications, log);
    const adapter = authEventAdapter({
      ...(certificate && { tls: certificate.options }),
      trustedProxies,
      headersTimeout: limits.headers,
      requestTimeout: limits.request,
      onUnreadable: (problem, peer) => onUnreadable(problem, refusals.admits(problem.code, peer)),
    });
    const app = await NestFactory.create<NestFastifyApplication>(module(guard), adapter, {
      bodyParser: false,
      abortOnError: false,
      logger: new NestLog(log),
    });
    if (name === 'public') takeBodiesAsBytes(app);
    else leaveBodiesUnread(app);
    return new DoorFrame(app, guard, refusals, document, certificate);
  }

  /** @throws Error where the port cannot be had */
  async open(): Promise<Door> {
    const { app, certificate, document, refusals } = this;
    const server = app.getHttpServer() as Server;
    server.maxConnections = document.limits.connections;
    certificate?.follow(server);
    try {
      await app.listen(document.port, document.host);
    } catch (error) {
      certificate?.close();
      await app.close();
      throw error;
    }
    return {
      url: await app.getUrl(),
      ...(certificate && { certificate }),
      close: async (limit) => {
        certificate?.close();
        const cut = setTimeout(() => server.closeAllConnections(), limit);
        await app.close();
        clearTimeout(cut);
        refusals.close();
      },
    };
  }
}

/** Routes of operators take bodies of very different sizes, and none of them is taken in before its sender is known. */
function leaveBodiesUnread(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request: unknown, payload: unknown, done: (error: null, body: unknown) => void) =>
    done(null, payload),
  );
}

async function certificateOf(
  { file, document }: Configuration,
  name: DoorName,
  parts: Parameters<typeof ServerCertificate.load>[2],
): Promise<ServerCertificate | undefined> {
  const { tls } = document.listen[name];
  if (!tls) return undefined;
  try {
    return await ServerCertificate.load(name, tls, parts);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'cannot be used';
    throw new ConfigurationError(file, [{ path: ['listen', name, 'tls'], reason }]);
  }
}
