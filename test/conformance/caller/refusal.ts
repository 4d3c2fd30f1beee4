import type { RefusalCode } from '#entra-auth';
import { expect } from 'vitest';
import type { Answer } from '../../e2e/stack.js';
import type { TrustStack } from './trust-stack.js';

export interface ExpectedRefusal {
  readonly status: number;
  readonly code: string;
  /** What the detail in the log begins with. */
  readonly detail?: string;
  /** The value of the challenge; absent: there is none. */
  readonly challenge?: string;
}

/** As every caller is answered that is not authenticated; the rule that was broken is for the log. */
export const unauthenticated = (refusal: RefusalCode): ExpectedRefusal => ({
  status: 401,
  code: 'caller.unauthenticated',
  detail: `${refusal}:`,
  challenge: refusal === 'token.missing' ? 'Bearer' : 'Bearer error="invalid_token"',
});

/**
 * Does the request and asserts all of a refusal: the answer, that neither it nor the log holds a part of the token, that the log has
 * the reason, and that no handler and no source was reached.
 */
export async function expectRefusal(
  stack: TrustStack,
  token: string,
  request: () => Promise<Answer>,
  { status, code, detail, challenge }: ExpectedRefusal,
): Promise<void> {
  const from = stack.service.log.length;
  const before = { ...stack.lookups };
  const answer = await request();
  expect(answer, answer.text).toMatchObject({ status, json: { status, code, correlationId: expect.any(String) } });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.headers.get('www-authenticate')).toBe(challenge ?? null);
  const { correlationId } = answer.json as { readonly correlationId: string };
  const line = await stack.service.line((candidate) => candidate['correlationId'] === correlationId, from);
  expect(line).toMatchObject({ level: 'warn', status, code, ...(detail !== undefined && { detail: expect.stringContaining(detail) }) });
  if (detail !== undefined) expect(String(line['detail']).indexOf(detail)).toBe(0);
  for (const reached of ['tenant', 'application', 'mapping', 'lookups', 'err']) expect(line).not.toHaveProperty(reached);
  const said = `${JSON.stringify([...answer.headers])}${answer.text}${JSON.stringify(stack.service.log.slice(from))}`;
  for (const part of partsOf(token)) expect(said).not.toContain(part);
  expect(stack.lookups).toEqual(before);
}

/** What would give the token away: its parts, long enough to be no coincidence. */
function partsOf(token: string): readonly string[] {
  return token.split(/[.\s]/).filter((part) => part.length >= 12).map((part) => part.slice(0, 200));
}
