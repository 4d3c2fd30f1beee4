import { subjectProperties, unverifiedProperties, type LocateRule, type SubjectProperty, type SubjectTest } from '#claims';
import { z } from 'zod';

const subjectProperty = z.enum(subjectProperties, { error: `must be one of ${subjectProperties.join(', ')}` });

const text = z.string().min(1);
const texts = z.union([text.transform((only) => [only]), z.array(text).min(1)]);

const subjectTest = z
  .union(
    [
      texts.transform((given): SubjectTest => ({ kind: 'oneOf', texts: given })),
      z
        .strictObject({ not: texts.describe('The texts that it must not be.') })
        .transform(({ not }): SubjectTest => ({ kind: 'noneOf', texts: not })),
      z
        .strictObject({ startsWith: text.describe('How it must begin.') })
        .transform(({ startsWith }): SubjectTest => ({ kind: 'startsWith', text: startsWith })),
      z
        .strictObject({ endsWith: text.describe('How it must end.') })
        .transform(({ endsWith }): SubjectTest => ({ kind: 'endsWith', text: endsWith })),
      z
        .strictObject({ present: z.boolean().describe('Whether there must be one.') })
        .transform(({ present }): SubjectTest => ({ kind: 'present', wanted: present })),
    ],
    { error: 'must be a text, a list of texts, { not: … }, { startsWith: text }, { endsWith: text } or { present: true|false }' },
  )
  .describe('Texts compare ignoring case; an absent property fulfils nothing but { present: false }.');

/** The keys of a locate rule that do not depend on the system. */
export const locateRuleKeys = {
  key: subjectProperty.describe('The property of the subject that is the key.'),
  when: z
    .partialRecord(subjectProperty, subjectTest)
    .default({})
    .describe('The rule applies only where each of these tests holds.'),
  fallThrough: z.boolean().default(false).describe('Whether the next rule is tried where this one finds nobody.'),
  trustUnverified: z
    .boolean()
    .default(false)
    .describe(
      'Needed, together with a when that no guest fulfils (userType: Member), for a key that the person or another tenant can set.',
    ),
};

/**
 * A property that the person or another tenant can set finds whomever they like: a guest who carries the chief executive's mail
 * would get the chief executive's claims. So it needs an explicit word, and a condition that no guest fulfils.
 */
export function checkTrust(
  rule: { key: LocateRule['key']; when: LocateRule['when']; trustUnverified: boolean },
  context: z.RefinementCtx,
): void {
  if (!unverifiedProperties.has(rule.key)) return;
  if (!rule.trustUnverified || !Object.entries(rule.when).some(([property, test]) => proves(property as SubjectProperty, test)))
    context.addIssue({
      code: 'custom',
      path: ['key'],
      message: `${rule.key} can be set by the person or by another tenant; it needs trustUnverified: true, and a when that no guest fulfils: userType: Member, or a test on an onPremises… property such as onPremisesSamAccountName: { present: true }`,
    });
}

/**
 * Whether the test holds only for the tenant's own people: members, as in `certainKey` of #claims, or those whom the tenant's own
 * directory brought along. That somebody has an id, or is of type Guest, proves nothing.
 */
function proves(property: SubjectProperty, test: SubjectTest): boolean {
  if (property === 'userType') return test.kind === 'oneOf' && test.texts.every((type) => type.toLowerCase() === 'member');
  return property.startsWith('onPremises') && test.kind !== 'noneOf' && !(test.kind === 'present' && !test.wanted);
}
