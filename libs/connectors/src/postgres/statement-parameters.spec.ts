import { describe, expect, it } from 'vitest';
import { statementParameters } from './statement-parameters.js';

describe('statementParameters', () => {
  it.each([
    ['select 1', []],
    ['select $1, $2::text, $1', [1, 2]],
    ['select a from t where b=$1and c=$12', [1, 12]],
    [`select '$1', "$2", E'\\'$3', $4`, [4]],
    [`select 'it''s $1' || $2`, [2]],
    ['select $$ $1 $$, $tag$ $2 $$ $3 $tag$, $4', [4]],
    ['select a$1 from t -- $2\n where b = $3', [3]],
    ['select /* $1 /* $2 */ $3 */ $4', [4]],
    ['select $1 /* without an end $2', [1]],
    ['select $1::text[] [1]', [1]],
  ])('%s', (statement, numbers) => {
    expect([...statementParameters(statement)]).toEqual(numbers);
  });
});
