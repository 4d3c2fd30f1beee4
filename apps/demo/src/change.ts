import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { AdminClient } from './admin-client.js';
import type { Company } from './company.js';
import { operators } from './operators.js';
import { signIns, type Claims, type PlannedSignIn } from './sign-ins.js';

/** How long a publish may take to reach the sign-ins; the documentation says within a second. */
const patience = 5_000;

/** One step of a change of a mapping, and what it came to. */
export interface ChangeStep {
  readonly step: 'preview' | 'sign-in before' | 'publish' | 'rollback';
  readonly about: string;
  readonly claims: Claims | undefined;
  readonly expected: Claims;
  /** The number of the revision in force; absent where nothing was put in force. */
  readonly revision?: number;
  readonly more: readonly string[];
  readonly asExpected: boolean;
}

/** Changes a mapping while the company signs in: draft, preview, publish, roll-back. */
export async function playChange({ simulator, managementUrl }: Company): Promise<readonly ChangeStep[]> {
  const [planned] = signIns as readonly [PlannedSignIn, ...PlannedSignIn[]];
  const name = planned.application;
  const admin = new AdminClient(managementUrl, await simulator.operatorToken(operators.administrator), 'contoso', name);
  const before = planned.expected;
  const after: Claims = { ...before, department: 'FINANCE' };

  const atFirst = await admin.state();
  const document = await admin.document();
  const department = { ...document.claims['department'], transform: ['ToUppercase'] };
  const drafted = await admin.saveDraft({ ...document, claims: { ...document.claims, department } }, atFirst);

  const { event, claims: claimsBefore } = await simulator.signIn(planned);
  const previewed = await admin.preview(event, name);
  const signedInUntil = async (expected: Claims): Promise<Claims | undefined> => {
    const until = performance.now() + patience;
    for (;;) {
      const { claims } = await simulator.signIn(planned);
      if (isDeepStrictEqual(claims, expected) || performance.now() > until) return claims;
      await wait(20);
    }
  };
  const published = await admin.publish(drafted, 'Departments in capitals');
  const claimsAfter = await signedInUntil(after);
  const back = await admin.rollBack(published, atFirst.published, 'The portal expected them as they were');
  const claimsBack = await signedInUntil(before);

  const steps: readonly Omit<ChangeStep, 'asExpected'>[] = [
    {
      step: 'preview',
      about: 'the draft writes departments in capitals; this is what adele would get',
      claims: previewed.claims,
      expected: after,
      more: [`${previewed.ms} ms, nothing was put in force`, ...previewed.explanation],
    },
    {
      step: 'sign-in before',
      about: 'adele signs in meanwhile, by what is in force',
      claims: claimsBefore,
      expected: before,
      more: [],
    },
    {
      step: 'publish',
      about: 'the draft is in force, and adele signs in again',
      claims: claimsAfter,
      expected: after,
      revision: published.published,
      more: [],
    },
    {
      step: 'rollback',
      about: `the content of revision ${atFirst.published} is back, and adele signs in once more`,
      claims: claimsBack,
      expected: before,
      revision: back.published,
      more: [],
    },
  ];
  return steps.map((step) => ({ ...step, asExpected: isDeepStrictEqual(step.claims, step.expected) }));
}

export function describeStep({ step, about, claims, expected, revision, more, asExpected }: ChangeStep): string {
  const lines = [
    `${asExpected ? '✓' : '✗'} ${step}${revision === undefined ? '' : `: revision ${revision} is in force`}`,
    `    ${about}`,
    `    claims  ${JSON.stringify(claims ?? null)}`,
    ...more.map((line) => `    ${line}`),
  ];
  if (!asExpected) lines.push(`    expected ${JSON.stringify(expected)}`);
  return `${lines.join('\n')}\n`;
}
