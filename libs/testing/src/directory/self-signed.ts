import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

/** A key and its certificate, PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateOptions {
  /** The subject, `CN=localhost` by default. */
  readonly subject?: string;
  /** Host names that it is good for besides 127.0.0.1 and localhost. */
  readonly hosts?: readonly string[];
  /** Milliseconds since the epoch; a day before and after now by default. */
  readonly validity?: { readonly from: number; readonly to: number };
}

const day = 86_400_000;

/** A key and a certificate that is its own authority. */
export async function certify({
  subject = 'CN=localhost',
  hosts = [],
  validity = { from: Date.now() - day, to: Date.now() + day },
}: CertificateOptions = {}): Promise<Certificate> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: subject,
    notBefore: new Date(validity.from),
    notAfter: new Date(validity.to),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true),
      new SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        ...['localhost', ...hosts].map((value) => ({ type: 'dns' as const, value })),
      ]),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
  return { key, cert: certificate.toString('pem') };
}

/** A key and a certificate for 127.0.0.1 and localhost that is its own authority (PEM), valid for a day around now. */
export const selfSigned = (): Promise<Certificate> => certify();
