import { subjectProperties, unverifiedProperties, type LocateRule } from '#claims';
import { z } from 'zod';

const subjectProperty = z.enum(subjectProperties, { error: `must be one of ${subjectProperties.join(', ')}` });

/** The keys of a locate rule that do not depend on the system. */
export const locateRuleKeys = {
  key: subjectProperty,
  when: z.partialRecord(subjectProperty, z.string().min(1)).default({}),
  fallThrough: z.boolean().default(false),
  trustUnverified: z.boolean().default(false),
};

/**
 * A property that the person or another tenant can set finds whomever they like: a guest who carries the chief executive's mail
 * would get the chief executive's claims. So it needs an explicit word and a condition.
 */
export function checkTrust(
  rule: { key: LocateRule['key']; when: LocateRule['when']; trustUnverified: boolean },
  context: z.RefinementCtx,
): void {
  if (!unverifiedProperties.has(rule.key)) return;
  if (!rule.trustUnverified || Object.keys(rule.when).length === 0)
    context.addIssue({
      code: 'custom',
      path: ['key'],
      message: `${rule.key} can be set by the person or by another tenant; it needs trustUnverified: true and a when, such as when: { userType: Member }`,
    });
}
