import { expect, it } from 'vitest';
import { previewedSignIn } from './person.js';

it('writes the object id as events have it, and everything else as it was given', () => {
  const person = { id: '90847C2A-E29D-4D2F-9F54-C5B4D3F20001', userPrincipalName: 'Adele@Contoso.com', mail: ' ' };
  const request = { tenant: 'contoso', application: '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01', person, values: true };
  expect(previewedSignIn(request, '').subject).toEqual({
    id: '90847c2a-e29d-4d2f-9f54-c5b4d3f20001',
    userPrincipalName: 'Adele@Contoso.com',
  });
});
