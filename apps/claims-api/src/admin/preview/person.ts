import { parseTokenIssuanceStart } from '#auth-events';
import {
  subjectProperties,
  unverifiedProperties,
  type Plan,
  type PlannedLookup,
  type Resolution,
  type Selector,
  type Subject,
  type SubjectProperty,
} from '#claims';
import { signInOf } from '../../events/sign-in.js';
import type { PreviewRequest } from '../contract/preview.js';
import type { Issue } from '../contract/problem.js';
import { invalidRequest } from '../http/admin-problem.js';

/** Who signs in where, as a preview is told. */
export interface PreviewedSignIn {
  readonly call: Omit<Selector, 'tenant'> | undefined;
  readonly subject: Subject | undefined;
  /** Whether the properties of the person are those of a sign-in, and not only what somebody knows. */
  readonly complete: boolean;
}

/**
 * A pasted event is read as Entra's are. Otherwise the person is what the request says, and nothing else is known: no directory is asked
 * who that might be.
 * @param tenantId the tenant's id, which an event must name
 * @throws AdminProblem `request.body`
 */
export function previewedSignIn(
  { event, application, client, extension, protocol, person }: PreviewRequest,
  tenantId: string,
): PreviewedSignIn {
  if (event === undefined)
    return {
      call: {
        application: application!,
        client: client ?? application!,
        ...(extension !== undefined && { extension }),
        ...(protocol !== undefined && { protocol }),
      },
      subject: person ? presentOf(person) : undefined,
      complete: false,
    };
  const parsed = parseTokenIssuanceStart(Buffer.from(JSON.stringify(event)));
  if (parsed.kind === 'refused')
    throw invalidRequest(
      'body',
      parsed.issues.map(({ path, reason }) => ({ path: ['event', ...(path === '' ? [] : path.split('.'))], reason })),
    );
  if (parsed.event.tenantId !== tenantId)
    throw invalidRequest('body', [
      { path: ['event', 'data', 'tenantId'], reason: 'is not the id of the tenant that the preview is for' },
    ]);
  return { ...signInOf(parsed.event), complete: true };
}

function presentOf(person: NonNullable<PreviewRequest['person']>): Subject {
  const present = Object.entries(person).filter(([, text]) => text.trim() !== '');
  // Events have object ids in lower case.
  return Object.fromEntries(present.map(([property, text]) => [property, property === 'id' ? text.toLowerCase() : text]));
}

/** Every property of the person on which the claims of a plan may depend. */
export function propertiesRead({ lookups, claims }: Plan): readonly SubjectProperty[] {
  const read = new Set<SubjectProperty>(lookups.flatMap(propertiesSought));
  for (const { from, operands, when } of claims)
    for (const origin of [from, ...operands, ...(when?.origins ?? [])]) if (origin.kind === 'subject') read.add(origin.property);
  return subjectProperties.filter((property) => read.has(property));
}

/** Every property by which a lookup finds the person, or decides whether it may. */
function propertiesSought({ inputs, description, fallbacks }: PlannedLookup): readonly SubjectProperty[] {
  const given = [...inputs.values()].flatMap((origin) => (origin.kind === 'subject' ? [origin.property] : []));
  const rules = [description, ...fallbacks.map((fallback) => fallback.description)].flatMap(({ locate }) => locate);
  return [
    ...given,
    // For members alone (`certainKey`).
    ...(given.some((property) => unverifiedProperties.has(property)) ? (['userType'] as const) : []),
    ...rules.flatMap(({ key, when }) => [key, ...(Object.keys(when) as SubjectProperty[])]),
  ];
}

/** Lookups that found no key because somebody said less of the person than a sign-in does. */
export function keyWarnings({ lookups }: Plan, resolution: Resolution, { subject, complete }: PreviewedSignIn): Issue[] {
  if (!subject || complete) return [];
  return lookups.flatMap((lookup): Issue[] => {
    const { reason } = resolution.lookups.find(({ alias }) => alias === lookup.alias) ?? {};
    const missing = new Set(propertiesSought(lookup).filter((property) => subject[property] === undefined));
    if (reason !== 'noKey' || missing.size === 0) return [];
    return [
      {
        path: ['person'],
        reason: `has no key for the lookup ${lookup.alias}: a preview knows the properties that it is given, and no others`,
        remedy: `Give ${[...missing].join(', ')} as far as the person has them, or paste an event of a sign-in.`,
      },
    ];
  });
}
