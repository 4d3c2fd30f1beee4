import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What every server is told: the file that its first argument names. */
export interface Settings {
  readonly tenantId: string;
  readonly audience: string;
  readonly issuer: string;
  readonly metadata: string;
  readonly keys: string;
  readonly directory: { readonly url: string; readonly base: string; readonly dn: string; readonly password: string };
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
    readonly password: string;
  };
}

export const readSettings = (): Settings => JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Settings;

export const statement = 'select tier, products from billing.accounts where upn = $1';

export const attributes = ['department', 'employeeID', 'memberOf'];

/** One line on stdout, as the launchers of libs/testing do. */
export function tellReady(server: Server): void {
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`);
}
