/** What a suite that needs an installed program needs of the test runner's `describe`. */
export interface Describe {
  (title: string, body: () => void): unknown;
  skip(title: string, body: () => void): unknown;
}

/**
 * A suite that needs a program of the operating system: runs where `missing` is undefined; elsewhere is left out, which its title and a
 * warning say. With `CI=true` it is not left out: the file fails. `describe` is given by the spec, so that this library needs no test
 * runner.
 */
export function describeUnless(missing: string | undefined, describe: Describe, title: string, body: () => void): void {
  if (missing === undefined) {
    describe(title, body);
    return;
  }
  if (process.env['CI'] === 'true') throw new Error(`${title}: ${missing}; CI leaves nothing out`);
  process.emitWarning(`${title}: left out, ${missing}`);
  describe.skip(`${title} (left out: ${missing})`, body);
}
