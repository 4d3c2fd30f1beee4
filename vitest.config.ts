import { defineConfig } from 'vitest/config';

const source = ['claimbridge-source', 'node'];
const conditions = { resolve: { conditions: source }, ssr: { resolve: { conditions: source } } };

export default defineConfig({
  ...conditions,
  test: {
    reporters: ['default', './tools/closing-line-reporter.mjs'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // No test fails because the machine is slow: what comes true comes true before this.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'specs',
          include: ['{apps,libs,test,tools}/**/*.spec.ts'],
          exclude: ['test/faults/**', '**/node_modules/**'],
        },
      },
      {
        // Load and deadlines: alone on the machine, one file after the other.
        extends: true,
        test: { name: 'faults', include: ['test/faults/**/*.spec.ts'], fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
