/** How the text of a parameter becomes an assertion value: as it is, or as the bytes of an identifier. */
export type PlaceholderFormat = 'text' | 'sid' | 'guid';

export type Assertion =
  | { readonly kind: 'literal'; readonly bytes: Buffer }
  | { readonly kind: 'placeholder'; readonly name: string; readonly format: PlaceholderFormat };

export type FilterNode =
  | { readonly kind: 'and' | 'or'; readonly children: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly child: FilterNode }
  | { readonly kind: 'present'; readonly attribute: string }
  | { readonly kind: 'equal' | 'atLeast' | 'atMost' | 'approximately'; readonly attribute: string; readonly value: Assertion }
  | {
      readonly kind: 'substrings';
      readonly attribute: string;
      readonly initial: Buffer;
      readonly any: readonly Buffer[];
      readonly final: Buffer;
    }
  | {
      readonly kind: 'extensible';
      readonly attribute: string | undefined;
      readonly rule: string | undefined;
      readonly dnAttributes: boolean;
      readonly value: Assertion;
    };

export type ParsedFilter =
  | { readonly kind: 'parsed'; readonly node: FilterNode }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Reads the text of a search filter (RFC 4515) in which a whole assertion value may be a placeholder: `{name}`, `{name:sid}`,
 * `{name:guid}`. White space is allowed between filters, as Active Directory does.
 */
export function parseFilter(text: string): ParsedFilter {
  try {
    return { kind: 'parsed', node: new FilterReader(text).read() };
  } catch (error) {
    if (error instanceof FilterSyntaxError) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

class FilterSyntaxError extends Error {}

const maximumDepth = 32;
const attributeDescription = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*$/;
const matchingRule = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/;
const comparisons = { '>': 'atLeast', '<': 'atMost', '~': 'approximately' } as const;

class FilterReader {
  private position = 0;

  constructor(private readonly text: string) {}

  read(): FilterNode {
    this.skipSpace();
    const node = this.filter(1);
    this.skipSpace();
    if (this.position < this.text.length) throw this.refusal('the filter goes on after its end');
    return node;
  }

  private filter(depth: number): FilterNode {
    if (depth > maximumDepth) throw this.refusal(`filters are nested more than ${maximumDepth} deep`);
    this.expect('(');
    const node = this.component(depth);
    this.expect(')');
    return node;
  }

  private component(depth: number): FilterNode {
    const operator = this.text[this.position];
    if (operator !== '&' && operator !== '|' && operator !== '!') return this.item();
    this.position++;
    const children: FilterNode[] = [];
    for (this.skipSpace(); this.text[this.position] === '('; this.skipSpace()) children.push(this.filter(depth + 1));
    const [only, ...others] = children;
    if (only === undefined) throw this.refusal(`${operator} has no filter after it`);
    if (operator !== '!') return { kind: operator === '&' ? 'and' : 'or', children };
    if (others.length > 0) throw this.refusal('! has more than one filter after it');
    return { kind: 'not', child: only };
  }

  private item(): FilterNode {
    const end = this.text.slice(this.position).search(/[()]/);
    const item = end < 0 ? this.text.slice(this.position) : this.text.slice(this.position, this.position + end);
    const equals = item.indexOf('=');
    if (equals < 0) throw this.refusal('a comparison such as (attribute=value) is missing');
    const [left, right] = [item.slice(0, equals), item.slice(equals + 1)];
    const node = this.comparison(left, right);
    this.position += item.length;
    return node;
  }

  private comparison(left: string, right: string): FilterNode {
    const last = left.at(-1);
    if (last === ':') return this.extensible(left.slice(0, -1), right);
    if (last === '>' || last === '<' || last === '~')
      return { kind: comparisons[last], attribute: this.attribute(left.slice(0, -1)), value: this.assertion(right) };
    const attribute = this.attribute(left);
    if (right === '*') return { kind: 'present', attribute };
    if (!right.includes('*')) return { kind: 'equal', attribute, value: this.assertion(right) };
    const parts = right.split('*').map((part) => this.literal(part));
    const any = parts.slice(1, -1);
    if (any.some((part) => part.length === 0)) throw this.refusal('** is not allowed');
    return { kind: 'substrings', attribute, initial: parts[0]!, any, final: parts.at(-1)! };
  }

  /** `attr[:dn][:rule]` or `[:dn]:rule` (RFC 4515 §3). */
  private extensible(left: string, right: string): FilterNode {
    const [attribute, ...modifiers] = left.split(':');
    const dnAttributes = modifiers[0]?.toLowerCase() === 'dn';
    if (dnAttributes) modifiers.shift();
    const [rule, ...others] = modifiers;
    if (others.length > 0 || (rule !== undefined && !matchingRule.test(rule)))
      throw this.refusal(`${left}: is not attribute:rule:=value`);
    if (!attribute && rule === undefined) throw this.refusal('a matching rule is missing before :=');
    return {
      kind: 'extensible',
      attribute: attribute ? this.attribute(attribute) : undefined,
      rule,
      dnAttributes,
      value: this.assertion(right),
    };
  }

  private attribute(text: string): string {
    if (!attributeDescription.test(text))
      throw this.refusal(`"${text}" is not the name of an attribute; a placeholder cannot be one`);
    return text;
  }

  private assertion(text: string): Assertion {
    const [, name, format] = /^\{([A-Za-z][A-Za-z0-9_]*)(?::([a-z]+))?\}$/.exec(text) ?? [];
    if (name === undefined) return { kind: 'literal', bytes: this.literal(text) };
    if (format === undefined) return { kind: 'placeholder', name, format: 'text' };
    if (format !== 'sid' && format !== 'guid') throw this.refusal(`there is no format ${format}; there are sid and guid`);
    return { kind: 'placeholder', name, format };
  }

  private literal(text: string): Buffer {
    if (/[{}]/.test(text))
      throw this.refusal('a placeholder must be a whole value, as in (attribute={name}); write a brace as \\7b or \\7d');
    if (text.includes('*')) throw this.refusal('write an asterisk as \\2a here');
    if (text.includes('\0')) throw this.refusal('write NUL as \\00');
    const pieces = text.split(/\\([0-9A-Fa-f]{2})/);
    const bytes = pieces.map((piece, index) => Buffer.from(piece, index % 2 === 1 ? 'hex' : 'utf8'));
    if (pieces.some((piece, index) => index % 2 === 0 && piece.includes('\\')))
      throw this.refusal('a backslash must be followed by two hexadecimal digits; write a backslash as \\5c');
    return Buffer.concat(bytes);
  }

  private expect(character: string): void {
    if (this.text[this.position] !== character) throw this.refusal(`${character} is missing`);
    this.position++;
  }

  private skipSpace(): void {
    while (/\s/.test(this.text[this.position] ?? '')) this.position++;
  }

  private refusal(reason: string): FilterSyntaxError {
    return new FilterSyntaxError(`is not a search filter (RFC 4515): ${reason}, at character ${this.position + 1}`);
  }
}
