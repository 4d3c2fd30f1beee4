import { configurationName, guid } from '#claims';
import { z } from 'zod';

export const registrationQuery = z.strictObject({
  tenant: configurationName.describe('The tenant, by its alias in the configuration.'),
  application: guid.describe('The application whose tokens get the claims.'),
});

export const registration = z
  .strictObject({
    tenantId: z.string().describe('The Entra tenant’s id.'),
    audience: z.array(z.string()).describe('What tokens of Entra may be for: the client id of the API’s app registration.'),
    timeoutMs: z.int().describe('timeoutInMilliseconds of the custom authentication extension.'),
    eventPath: z.string().describe('The path of the endpoint, behind the host by which Entra reaches it.'),
    mappings: z
      .array(z.strictObject({ name: z.string(), revision: z.string() }))
      .describe('What serves the application now: several where mappings are for single clients or extensions.'),
    claims: z.array(
      z.strictObject({
        name: z.string().describe('As the service answers it. Every gate of Entra compares with regard to case.'),
        list: z.boolean().describe('Whether any of the mappings answers a list.'),
        restricted: z
          .array(z.enum(['jwt', 'saml']))
          .describe('The kinds of token in which Entra keeps this name for itself, so that it needs another one there.'),
      }),
    ),
  })
  .meta({
    id: 'Registration',
    examples: [
      {
        tenantId: '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10',
        audience: ['b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f201'],
        timeoutMs: 1_000,
        eventPath: '/api/onTokenIssuanceStart',
        mappings: [{ name: 'billing-portal', revision: '9f86d081884c' }],
        claims: [{ name: 'department', list: false, restricted: [] }],
      },
    ],
  });

export type RegistrationBody = z.output<typeof registration>;
