import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const day = 86_400_000;

/**
 * A key and a certificate that is its own authority (PEM), valid for a day around now unless `until` says otherwise. It is for
 * 127.0.0.1 and localhost, or for the addresses and names given.
 */
export async function selfSigned({
  addresses = ['127.0.0.1'],
  names = ['localhost'],
  subject = 'CN=localhost',
  until = Date.now() + day,
}: {
  readonly addresses?: readonly string[];
  readonly names?: readonly string[];
  readonly subject?: string;
  /** Milliseconds since the epoch. */
  readonly until?: number;
} = {}): Promise<{
  readonly key: string;
  readonly cert: string;
}> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: subject,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(until),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true),
      new SubjectAlternativeNameExtension([
        ...addresses.map((value) => ({ type: 'ip', value }) as const),
        ...names.map((value) => ({ type: 'dns', value }) as const),
      ]),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
  return { key, cert: certificate.toString('pem') };
}
