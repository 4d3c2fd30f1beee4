import { defineConfig } from 'vitest/config';

const source = ['claimbridge-source', 'node'];

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: source } },
  test: {
    include: ['{apps,libs,test,tools}/**/*.spec.ts'],
    reporters: ['default', './tools/closing-line-reporter.mjs'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
