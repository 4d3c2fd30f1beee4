/** What in a statement is no parameter: strings, quoted names, comments and dollar-quoted strings (PostgreSQL manual §4.1). */
const opaque =
  /--[^\n]*|\/\*|\b[eE]'(?:[^'\\]|''|\\[^])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[^]*?\$\1\$|(?<![\w$\u0080-\uffff])\$(\d+)/g;

/** The numbers of the parameters `$1`, `$2`, … that a statement uses. */
export function statementParameters(statement: string): ReadonlySet<number> {
  const numbers = new Set<number>();
  opaque.lastIndex = 0;
  for (let match = opaque.exec(statement); match; match = opaque.exec(statement)) {
    if (match[0] === '/*') opaque.lastIndex = endOfComment(statement, match.index);
    else if (match[2] !== undefined) numbers.add(Number(match[2]));
  }
  return numbers;
}

/** Comments nest (§4.1.5). */
function endOfComment(statement: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let match = mark.exec(statement); match; match = mark.exec(statement)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return statement.length;
}
