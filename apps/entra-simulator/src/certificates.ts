import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const ellipticCurve = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayInMilliseconds = 86_400_000;

/** How long throw-away certificates last: longer than any run, and begun a day ago, for clocks that differ. */
const validity = () => ({
  notBefore: new Date(Date.now() - dayInMilliseconds),
  notAfter: new Date(Date.now() + 365 * dayInMilliseconds),
});

/** What an https server presents, and the certificate authority (CA) that vouches for it. All PEM. */
export interface ServerCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes a certificate for these host names and addresses, and a CA for it alone. The CA's own key is forgotten at once, so that
 * who trusts it trusts this one server and nothing that could be signed later.
 */
export async function createServerCertificate(names: readonly string[]): Promise<ServerCertificate> {
  const authorityKeys = await generateEllipticKeys();
  const leafKeys = await generateEllipticKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: serialNumber(),
    name: 'CN=Entra simulator CA (throw-away)',
    keys: authorityKeys,
    signingAlgorithm: ellipticCurve,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...validity(),
    serialNumber: serialNumber(),
    subject: 'CN=Entra simulator',
    issuer: authority.subject,
    publicKey: leafKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: ellipticCurve,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        [...new Set(names)].map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey),
    ],
  });
  return {
    ca: `${authority.toString('pem')}\n`,
    certificate: `${leaf.toString('pem')}\n`,
    key: KeyObject.from(leafKeys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** A self-signed certificate for a token signing key, as Entra publishes them in `x5c`. */
export async function createSigningCertificate(
  keys: webcrypto.CryptoKeyPair,
): Promise<{ readonly der: Buffer; readonly sha1: Buffer }> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: serialNumber(),
    name: 'CN=accounts.accesscontrol.simulator',
    keys,
    signingAlgorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  });
  return { der: Buffer.from(certificate.rawData), sha1: Buffer.from(await certificate.getThumbprint('SHA-1')) };
}

async function generateEllipticKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ellipticCurve, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

/** 16 random bytes; the first is 1 to 127, so that the number is positive and no byte is lost. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x01;
  return Buffer.from(bytes).toString('hex');
}
