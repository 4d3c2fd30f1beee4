import { createServer, type IncomingMessage } from 'node:http';
import { answerOf } from './claims.js';
import { tellReady, type Settings } from './settings.js';
import { tokenCheck } from './token-cache.js';

export interface Event {
  readonly type: string;
  readonly data: {
    readonly tenantId: string;
    readonly authenticationContext: { readonly user: { readonly onPremisesUserPrincipalName: string } };
  };
}

/** node:http and nothing else: reads the body, checks the token, parses, and answers with the claims that it is given. */
export function servePlain(
  settings: Settings,
  claims: (upn: string) => Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>,
): void {
  const accepts = tokenCheck(settings);
  const server = createServer(async (request, response) => {
    try {
      const body = await read(request);
      if (!(await accepts(request.headers.authorization))) return void response.writeHead(401).end();
      const { type, data } = JSON.parse(body.toString()) as Event;
      if (type !== 'microsoft.graph.authenticationEvent.tokenIssuanceStart' || data.tenantId !== settings.tenantId)
        return void response.writeHead(400).end();
      const text = JSON.stringify(answerOf(await claims(data.authenticationContext.user.onPremisesUserPrincipalName)));
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
    } catch {
      response.writeHead(500).end();
    }
  });
  server.keepAliveTimeout = 75_000;
  server.listen(0, '127.0.0.1', () => tellReady(server));
}

function read(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
      .on('error', reject);
  });
}
