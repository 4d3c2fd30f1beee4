import { X509Certificate } from 'node:crypto';
import { createSecureContext, type Server } from 'node:tls';
import type { Secrets } from '#claims';
import type { ServiceDocument } from '#configuration';
import type { Logger } from '#observability';

type TlsDocument = NonNullable<ServiceDocument['listen']['public']['tls']>;

interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** How often the files are looked at: an orchestrator replaces them without a signal. */
const interval = 30_000;

/** The certificate by which a door serves https. It follows its files without a restart; what is no certificate leaves it in force. */
export class ServerCertificate {
  private timer?: NodeJS.Timeout;
  private server?: Server;

  private constructor(
    private readonly door: string,
    private readonly document: TlsDocument,
    private readonly parts: { readonly secrets: Secrets; readonly log: Logger },
    private pem: Pem,
  ) {}

  /** @throws Error where the certificate or its key cannot be read, or they do not belong together */
  static async load(
    door: string,
    document: TlsDocument,
    parts: { readonly secrets: Secrets; readonly log: Logger },
  ): Promise<ServerCertificate> {
    return new ServerCertificate(door, document, parts, await read(document, parts.secrets));
  }

  /** For the server's creation. */
  get options(): Pem & { readonly minVersion: TlsDocument['minimumVersion'] } {
    return { ...this.pem, minVersion: this.document.minimumVersion };
  }

  get expiresAt(): Date {
    return new X509Certificate(this.pem.cert).validToDate;
  }

  /** From now on this server gets every new certificate; connections that stand are kept. */
  follow(server: Server): void {
    this.server = server;
    this.timer = setInterval(() => void this.reload(), interval).unref();
  }

  async reload(): Promise<void> {
    const { door } = this;
    try {
      const pem = await read(this.document, this.parts.secrets);
      if (pem.cert === this.pem.cert && pem.key === this.pem.key) return;
      this.pem = pem;
      this.server?.setSecureContext(this.options);
      this.parts.log.info({ door, expiresAt: this.expiresAt }, 'certificate replaced');
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'unknown';
      this.parts.log.error({ door, detail, expiresAt: this.expiresAt }, 'certificate not replaced: the one in force stays');
    }
  }

  close(): void {
    clearInterval(this.timer);
  }
}

async function read({ certificate, key, minimumVersion }: TlsDocument, secrets: Secrets): Promise<Pem> {
  const pem = { cert: await secrets.read(certificate), key: await secrets.read(key) };
  createSecureContext({ ...pem, minVersion: minimumVersion });
  return pem;
}
