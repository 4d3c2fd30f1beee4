import { Filter, SearchFilter, type BerWriter } from 'ldapts';
import { Evidence } from './evidence.js';
import { parseFilter, type Assertion, type FilterNode, type PlaceholderFormat } from './filter-parser.js';
import { guidBytes, sidBytes } from './identifiers.js';

export type FilterTemplateResult =
  | { readonly kind: 'parsed'; readonly template: FilterTemplate }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * A search filter with placeholders for parameters. Its structure is fixed when the configuration is read: a value is encoded as
 * one assertion value of the protocol (RFC 4511 §4.5.1.7), never as filter text, so nothing in it can be syntax.
 */
export class FilterTemplate {
  private constructor(
    private readonly encoder: Encoder,
    /** The names of the placeholders. */
    readonly parameters: ReadonlySet<string>,
    /** By which an entry is told from one that the directory only takes for it. */
    readonly evidence: Evidence,
  ) {}

  static parse(text: string): FilterTemplateResult {
    const parsed = parseFilter(text);
    if (parsed.kind === 'refused') return parsed;
    const parameters = new Set<string>();
    const reason = survey(parsed.node, true, parameters);
    return reason
      ? { kind: 'refused', reason }
      : { kind: 'parsed', template: new FilterTemplate(compile(parsed.node), parameters, Evidence.of(parsed.node)) };
  }

  /**
   * The filter with these values. `impossible` where a value cannot be what its placeholder stands for, such as a text that is
   * not a SID: no entry can match.
   * @throws Error where a value is missing, which is a defect of the caller
   */
  encode(values: ReadonlyMap<string, string>): EncodedFilter | 'impossible' {
    const bytes = typeof this.encoder === 'function' ? this.encoder(values) : this.encoder;
    return bytes === undefined ? 'impossible' : new EncodedFilter(bytes);
  }
}

/** A filter that is encoded already, in the form in which ldapts writes it. */
export class EncodedFilter extends Filter {
  override readonly type = SearchFilter.and;

  constructor(readonly bytes: Buffer) {
    super();
  }

  override write(writer: BerWriter): void {
    const headerLength = this.bytes[1]! < 0x80 ? 2 : 2 + (this.bytes[1]! & 0x7f);
    writer.writeBuffer(this.bytes.subarray(headerLength), this.bytes[0]!);
  }

  /** Values never reach a log by way of the filter. */
  override toString(): string {
    return '(encoded)';
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Collects the placeholders' names; answers why the filter is refused, if it is. */
function survey(node: FilterNode, conjunctive: boolean, parameters: Set<string>): string | undefined {
  switch (node.kind) {
    case 'and':
    case 'or':
      for (const child of node.children) {
        const reason = survey(child, conjunctive && node.kind === 'and', parameters);
        if (reason) return reason;
      }
      return undefined;
    case 'not':
      return survey(node.child, false, parameters);
    case 'present':
    case 'substrings':
      return undefined;
    default:
      if (node.value.kind === 'literal') return undefined;
      parameters.add(node.value.name);
      return node.value.format === 'text' || conjunctive
        ? undefined
        : `{${node.value.name}:${node.value.format}} may stand only below &: a value that is no ${node.value.format} must rule out every entry`;
  }
}

/** Bytes, or what makes them from the values; undefined where a value is impossible. */
type Encoder = Buffer | ((values: ReadonlyMap<string, string>) => Buffer | undefined);

/** The context-specific tags of Filter (RFC 4511 §4.5.1). */
const tags = {
  and: 0xa0,
  or: 0xa1,
  not: 0xa2,
  equal: 0xa3,
  substrings: 0xa4,
  atLeast: 0xa5,
  atMost: 0xa6,
  present: 0x87,
  approximately: 0xa8,
  extensible: 0xa9,
};
const octetString = 0x04;
const sequence = 0x30;

function compile(node: FilterNode): Encoder {
  switch (node.kind) {
    case 'and':
    case 'or':
      return element(tags[node.kind], node.children.map(compile));
    case 'not':
      return element(tags.not, [compile(node.child)]);
    case 'present':
      return element(tags.present, [Buffer.from(node.attribute)]);
    case 'substrings': {
      const part = (tag: number, text: Buffer): Encoder[] => (text.length > 0 ? [element(tag, [text])] : []);
      const parts = [...part(0x80, node.initial), ...node.any.flatMap((text) => part(0x81, text)), ...part(0x82, node.final)];
      return element(tags.substrings, [element(octetString, [Buffer.from(node.attribute)]), element(sequence, parts)]);
    }
    case 'extensible':
      return element(tags.extensible, [
        ...(node.rule === undefined ? [] : [element(0x81, [Buffer.from(node.rule)])]),
        ...(node.attribute === undefined ? [] : [element(0x82, [Buffer.from(node.attribute)])]),
        element(0x83, [assertion(node.value)]),
        ...(node.dnAttributes ? [element(0x84, [Buffer.of(0xff)])] : []),
      ]);
    default:
      return element(tags[node.kind], [
        element(octetString, [Buffer.from(node.attribute)]),
        element(octetString, [assertion(node.value)]),
      ]);
  }
}

function assertion(value: Assertion): Encoder {
  if (value.kind === 'literal') return value.bytes;
  const { name, format } = value;
  return (values) => {
    const text = values.get(name);
    if (text === undefined) throw new Error(`the parameter ${name} is missing`);
    return formats[format](text);
  };
}

const formats: Readonly<Record<PlaceholderFormat, (text: string) => Buffer | undefined>> = {
  /** A lone surrogate has no UTF-8 form, and must not become another character. */
  text: (text) => (text.isWellFormed() ? Buffer.from(text) : undefined),
  sid: sidBytes,
  guid: guidBytes,
};

/** One BER element with a definite length (X.690 §8.1.3). */
function element(tag: number, contents: readonly Encoder[]): Encoder {
  const wrap = (parts: readonly Buffer[]): Buffer => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return Buffer.concat([Buffer.of(tag), lengthBytes(length), ...parts]);
  };
  if (contents.every(Buffer.isBuffer)) return wrap(contents);
  return (values) => {
    const parts: Buffer[] = [];
    for (const content of contents) {
      const part = typeof content === 'function' ? content(values) : content;
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return wrap(parts);
  };
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) bytes.unshift(rest % 0x100);
  return Buffer.of(0x80 | bytes.length, ...bytes);
}
