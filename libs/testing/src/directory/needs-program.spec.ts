import { afterEach, describe, expect, it, vi } from 'vitest';
import { describeUnless, type Describe } from './needs-program.js';

describe('a suite that needs a program', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  function recorded(): { readonly titles: string[]; readonly describe: Describe } {
    const titles: string[] = [];
    const record = (title: string): unknown => titles.push(title);
    return { titles, describe: Object.assign(record, { skip: (title: string) => titles.push(`skipped: ${title}`) }) };
  }

  it('runs where it is', () => {
    const suite = recorded();
    describeUnless(undefined, suite.describe, 'suite', () => undefined);
    expect(suite.titles).toEqual(['suite']);
  });

  it('is left out aloud where it is not', () => {
    vi.stubEnv('CI', '');
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const suite = recorded();
    describeUnless('slapd is not installed', suite.describe, 'suite', () => undefined);
    expect(suite.titles).toEqual([expect.stringMatching(/^skipped: suite .*slapd is not installed/)]);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^suite: left out, slapd is not installed/));
  });

  it('fails in CI where it is not', () => {
    vi.stubEnv('CI', 'true');
    const suite = recorded();
    expect(() => describeUnless('slapd is not installed', suite.describe, 'suite', () => undefined)).toThrow(
      /slapd is not installed/,
    );
    expect(suite.titles).toEqual([]);
  });
});
