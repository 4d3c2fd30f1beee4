import { describe, expect, it } from 'vitest';
import { describeDefect } from './defect.js';

describe('describeDefect', () => {
  it('says what and where, and neither the message nor a folder', () => {
    function broken(): never {
      throw new RangeError('adele@corp.example\n    at secret (hidden.js:1:1)');
    }
    try {
      broken();
    } catch (error) {
      expect(describeDefect(error)).toMatch(/^RangeError at broken \(defect\.spec\.ts:\d+\)$/);
    }
  });

  it.each([
    ['TypeError: x\n    at file:///srv/app/a.js:3:4', 'Error at a.js:3'],
    ['TypeError: x\n    at async Object.run (C:\\app\\a.js:3:4)', 'Error at async Object.run (a.js:3)'],
    ['TypeError: x\n    at JSON.parse (<anonymous>)\n    at read (/srv/b.js:7:1)', 'Error at read (b.js:7)'],
    ['TypeError: x\n    at JSON.parse (<anonymous>)', 'Error'],
    ['TypeError: another message\n    at file:///srv/app/a.js:3:4', 'Error'],
    ['TypeError: x', 'Error'],
    [undefined, 'Error'],
  ])('takes the stack %j', (stack, said) => {
    expect(describeDefect(Object.assign(new Error('x'), { stack }))).toBe(said);
  });

  it('takes whatever was thrown', () => {
    expect(describeDefect('adele@corp.example')).toBe('not an Error');
  });
});
