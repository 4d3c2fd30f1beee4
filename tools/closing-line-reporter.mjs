import { endLeftBehind, markRun } from './left-behind.mjs';

/** Closes a test run with one line that counts it: `N passed, N failed, N skipped`. A process that is left running is a failure. */
export default class ClosingLineReporter {
  onInit() {
    markRun();
  }

  async onTestRunEnd(testModules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const testModule of testModules) {
      counts.failed += testModule.errors().length;
      for (const test of testModule.children.allTests()) {
        const { state } = test.result();
        counts[state === 'pending' ? 'skipped' : state]++;
      }
    }
    const left = await endLeftBehind();
    for (const command of left) process.stderr.write(`\nThe tests left this running: ${command}\n`);
    if (left.length > 0) process.exitCode = 1;
    counts.failed += left.length;
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}
