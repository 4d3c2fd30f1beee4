import type { Claims } from './sign-ins.js';

/** A mapping's document, as far as the demonstration changes it. */
export interface MappingDocument {
  readonly claims: Readonly<Record<string, object>>;
}

/** A state of a mapping: its ETag, and which revision is in force. */
export interface MappingState {
  readonly etag: string;
  readonly published: number;
}

export interface PreviewedClaims {
  readonly claims: Claims;
  readonly ms: number;
  /** How each claim came about, in one line. */
  readonly explanation: readonly string[];
}

/** The admin API, as an administrator uses it. */
export class AdminClient {
  private readonly mapping: string;

  constructor(
    private readonly managementUrl: string,
    private readonly token: string,
    private readonly tenant: string,
    name: string,
  ) {
    this.mapping = `/admin/v1/mappings/${tenant}/${name}`;
  }

  async state(): Promise<MappingState> {
    return stateOf(await this.ask('GET', this.mapping));
  }

  async document(): Promise<MappingDocument> {
    const { body } = await this.ask('GET', `${this.mapping}/revisions/published`);
    return body['document'] as MappingDocument;
  }

  saveDraft(document: MappingDocument, { etag }: MappingState): Promise<MappingState> {
    return this.change('PUT', '/draft', etag, document);
  }

  publish({ etag }: MappingState, comment: string): Promise<MappingState> {
    return this.change('POST', '/publish', etag, { comment });
  }

  rollBack({ etag }: MappingState, to: number, comment: string): Promise<MappingState> {
    return this.change('POST', '/rollback', etag, { to, comment });
  }

  /** What the draft would give the person of an event. */
  async preview(event: object, name: string): Promise<PreviewedClaims> {
    const { body } = await this.ask('POST', '/admin/v1/preview', {
      body: { tenant: this.tenant, event, mapping: { name, version: 'draft' } },
    });
    const { claims, explain, ms } = body as {
      readonly claims: readonly { readonly name: string; readonly value: Claims[string] }[];
      readonly explain: {
        readonly claims: readonly {
          readonly claim: string;
          readonly from: string;
          readonly steps: readonly { readonly step: string }[];
        }[];
      };
      readonly ms: number;
    };
    return {
      claims: Object.fromEntries(claims.map(({ name: claim, value }) => [claim, value])),
      ms,
      explanation: explain.claims.map(
        ({ claim, from, steps }) => `${claim} ← ${[from, ...steps.slice(1).map(({ step }) => step)].join(' → ')}`,
      ),
    };
  }

  private async change(method: string, path: string, etag: string, body: object): Promise<MappingState> {
    return stateOf(await this.ask(method, this.mapping + path, { body, headers: { 'if-match': etag } }));
  }

  private async ask(
    method: string,
    path: string,
    { body, headers = {} }: { readonly body?: object; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Answer> {
    const response = await fetch(this.managementUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The admin API answered ${response.status} to ${method} ${path}: ${text}`);
    return { etag: response.headers.get('etag') ?? '', body: JSON.parse(text) as Answer['body'] };
  }
}

interface Answer {
  readonly etag: string;
  readonly body: Readonly<Record<string, unknown>>;
}

function stateOf({ etag, body }: Answer): MappingState {
  return { etag, published: (body['published'] as { readonly number: number }).number };
}
