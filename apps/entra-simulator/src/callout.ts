import { Agent, request } from 'undici';

/** Entra publishes no limit for the whole answer (only that there is one, 1003024); this is ours. */
export const maximumAnswerBytes = 1_048_576;

export interface CalloutRequest {
  readonly targetUrl: string;
  readonly token: string;
  readonly event: unknown;
  /** For each attempt, in milliseconds, connecting and reading included. */
  readonly timeout: number;
  readonly retries: number;
}

/** What one attempt ended with. `status` is there as soon as a status line was seen. */
export type CalloutAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly contentType: string | undefined; readonly body: Uint8Array }
  | { readonly kind: 'timedOut' | 'notConnected' | 'tooLarge'; readonly status?: number };

export interface CalloutResult {
  readonly attempts: number;
  /** All attempts together. */
  readonly ms: number;
  /** Of the last attempt. */
  readonly answer: CalloutAnswer;
}

/** Posts events as Entra does: each attempt has its own time, and a timeout, a lost connection and a 5xx are tried again. */
export class Caller {
  readonly #agent = new Agent();

  async call(callout: CalloutRequest): Promise<CalloutResult> {
    const begun = performance.now();
    for (let attempts = 1; ; attempts++) {
      const answer = await this.#attempt(callout);
      if (attempts > callout.retries || !isWorthRetrying(answer))
        return { attempts, ms: Math.round(performance.now() - begun), answer };
    }
  }

  /** Ends every connection, with what is under way on it. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #attempt({ targetUrl, token, event, timeout }: CalloutRequest): Promise<CalloutAnswer> {
    const signal = AbortSignal.timeout(timeout);
    let status: number | undefined;
    try {
      const response = await request(targetUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(event),
        dispatcher: this.#agent,
        signal,
      });
      status = response.statusCode;
      const contentType = response.headers['content-type'];
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maximumAnswerBytes) return { kind: 'tooLarge', status };
        chunks.push(chunk);
      }
      return {
        kind: 'answered',
        status,
        contentType: Array.isArray(contentType) ? contentType[0] : contentType,
        body: Buffer.concat(chunks),
      };
    } catch {
      return { kind: signal.aborted ? 'timedOut' : 'notConnected', ...(status !== undefined && { status }) };
    }
  }
}

function isWorthRetrying(answer: CalloutAnswer): boolean {
  if (answer.kind === 'answered') return answer.status >= 500;
  return answer.kind !== 'tooLarge';
}
