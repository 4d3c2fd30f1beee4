import { Agent, request } from 'undici';
import type { Claims, PlannedSignIn } from './sign-ins.js';

/** What the simulator says of a sign-in that it played; the part of it that is shown. */
export interface PlayedSignIn {
  readonly event: object;
  readonly callout: { readonly status?: number; readonly ms: number; readonly attempts: number };
  readonly claims?: Claims;
  readonly dropped: readonly { readonly claim: string; readonly reason: string }[];
  readonly token?: { readonly claims: Readonly<Record<string, unknown>> };
  readonly error?: { readonly code: string; readonly message: string };
}

/** The Entra simulator, over https with its own certificate authority. */
export class SimulatorClient {
  private readonly agent: Agent;

  constructor(
    private readonly url: string,
    ca: string,
  ) {
    this.agent = new Agent({ connect: { ca } });
  }

  signIn({ application, client, user }: PlannedSignIn): Promise<PlayedSignIn> {
    return this.post('/simulator/sign-ins', { application, client, user }) as Promise<PlayedSignIn>;
  }

  /** The access token with which Entra calls the event endpoint. */
  async extensionToken(): Promise<string> {
    const { token } = (await this.post('/simulator/extension-token', {})) as { token: string };
    return token;
  }

  /** An operator's access token for the admin API. */
  async operatorToken(client: { tenantId: string; clientId: string; clientSecret: string; resource: string }): Promise<string> {
    const { statusCode, body } = await request(`${this.url}/${client.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      dispatcher: this.agent,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: client.clientId,
        client_secret: client.clientSecret,
        scope: `${client.resource}/.default`,
      }).toString(),
    });
    if (statusCode !== 200) throw new Error(`The simulator answered ${statusCode}: ${await body.text()}`);
    return ((await body.json()) as { access_token: string }).access_token;
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  private async post(path: string, content: object): Promise<unknown> {
    const { statusCode, body } = await request(this.url + path, {
      method: 'POST',
      dispatcher: this.agent,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(content),
    });
    if (statusCode !== 200) throw new Error(`The simulator answered ${statusCode}: ${await body.text()}`);
    return body.json();
  }
}
