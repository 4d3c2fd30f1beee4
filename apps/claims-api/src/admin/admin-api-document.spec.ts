import type { INestApplication } from '@nestjs/common';
import { expect, it } from 'vitest';
import { AdminApiDocument } from './admin-api-document.js';

it('is tried again where it could not be made', async () => {
  let asked = 0;
  const app = {
    get: () => {
      asked += 1;
      throw new Error('not now');
    },
  } as unknown as INestApplication;
  const document = new AdminApiDocument();
  document.describes(app, AdminApiDocument);
  await expect(Promise.all([document.content(), document.content()])).rejects.toThrow('not now');
  expect(asked).toBe(1);
  await expect(document.content()).rejects.toThrow('not now');
  expect(asked).toBe(2);
});
