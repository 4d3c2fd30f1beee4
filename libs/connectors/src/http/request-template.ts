/** What is sent to the system for a lookup, its values encoded. */
export interface EncodedRequest {
  /** Path and query, percent-encoded; to be put behind the source's URL. */
  readonly target: string;
  /** A JSON document. */
  readonly body?: string;
}

/** A value of configuration that is sent as JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface RequestDocument {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body?: Json | undefined;
}

export type ParsedRequest =
  | { readonly kind: 'parsed'; readonly template: RequestTemplate }
  /** `at` is the key of the document, and below it the place of the text that is refused. */
  | { readonly kind: 'refused'; readonly at: readonly (string | number)[]; readonly reason: string };

type Parameters = ReadonlyMap<string, string>;
type Part = { readonly literal: string } | { readonly parameter: string; readonly format: Format | undefined };
type Text = readonly Part[];
type Body = Text | number | boolean | null | BodyList | BodyObject;
type BodyList = { readonly items: readonly Body[] };
type BodyObject = { readonly members: readonly (readonly [string, Body])[] };

/** String literals of the languages that stand within URLs; each brings its own quotes. */
const formats = {
  /** OData 4.01, Part 2, §5.1.1.6.1: an apostrophe is doubled. */
  odata: (value: string): string => `'${value.replaceAll("'", "''")}'`,
  /** SCIM's filters take JSON strings (RFC 7644 §3.4.2.2). */
  json: (value: string): string => JSON.stringify(value),
};
type Format = keyof typeof formats;

const placeholder = /\{([A-Za-z][A-Za-z0-9_]*)(?::([A-Za-z0-9]+))?\}/g;

/** RFC 3986 §3.3: pchar. */
const segmentLiteral = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/;

/** RFC 9110 §4.1 asks servers for 8,000 octets at least; a longer address belongs to no entry. */
const longestTarget = 8_000;

class TemplateError extends Error {
  constructor(
    readonly at: readonly (string | number)[],
    message: string,
  ) {
    super(message);
  }
}

/**
 * A request with placeholders, read once. `{name}` stands for a whole path segment, a whole value of the query or a whole string of
 * the body; `{name:odata}` and `{name:json}` are quoted literals and may stand within other text. So a value never becomes syntax: of
 * a URL, of JSON, or of a query language within them.
 */
export class RequestTemplate {
  private constructor(
    private readonly segments: readonly Text[],
    private readonly query: readonly (readonly [string, Text])[],
    private readonly body: Body | undefined,
    /** The names of all placeholders. */
    readonly parameters: ReadonlySet<string>,
  ) {}

  static parse({ path, query, body }: RequestDocument): ParsedRequest {
    const parameters = new Set<string>();
    const text = (source: string, at: readonly (string | number)[]): Text => parseText(source, at, parameters);
    try {
      const segments = parsePath(path, (segment) => text(segment, ['path']));
      const values = Object.entries(query).map(([name, value]) => [name, text(value, ['query', name])] as const);
      const content = body === undefined ? undefined : parseBody(body, ['body'], text);
      return { kind: 'parsed', template: new RequestTemplate(segments, values, content, parameters) };
    } catch (error) {
      if (error instanceof TemplateError) return { kind: 'refused', at: error.at, reason: error.message };
      throw error;
    }
  }

  /**
   * @returns `impossible` where no entry of any system can have such a value: text that is no Unicode, NUL, and in the path what a
   * server or a gateway on the way could take for another path
   * @throws Error where a parameter is missing
   */
  encode(parameters: Parameters): EncodedRequest | 'impossible' {
    for (const name of this.parameters) {
      const value = parameters.get(name);
      if (value === undefined) throw new Error(`the parameter ${name} is missing`);
      if (value.includes('\0') || !value.isWellFormed()) return 'impossible';
    }
    let target = '';
    for (const segment of this.segments) {
      const filled = fillSegment(segment, parameters);
      if (filled === 'impossible') return 'impossible';
      target += `/${filled}`;
    }
    const query = this.query
      .map(([name, value]) => `${percentEncode(name)}=${percentEncode(fillText(value, parameters))}`)
      .join('&');
    if (query !== '') target += `?${query}`;
    if (target.length > longestTarget) return 'impossible';
    return this.body === undefined ? { target } : { target, body: JSON.stringify(fillBody(this.body, parameters)) };
  }
}

function parseText(source: string, at: readonly (string | number)[], parameters: Set<string>): Text {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: whole, 1: parameter, 2: format, index } of source.matchAll(placeholder)) {
    if (format !== undefined && !Object.hasOwn(formats, format))
      throw new TemplateError(at, `knows no format ${format}; there are ${Object.keys(formats).join(', ')}`);
    if (format === undefined && whole !== source)
      throw new TemplateError(
        at,
        `has ${whole} within other text; it must stand alone, or as a quoted literal: {${parameter}:odata} or {${parameter}:json}`,
      );
    if (index > end) parts.push({ literal: source.slice(end, index) });
    parts.push({ parameter: parameter!, format: format as Format | undefined });
    parameters.add(parameter!);
    end = index + whole.length;
  }
  if (end < source.length) parts.push({ literal: source.slice(end) });
  return parts;
}

function parsePath(path: string, parse: (segment: string) => Text): readonly Text[] {
  if (path === '') return [];
  if (!path.startsWith('/')) throw new TemplateError(['path'], 'must be empty or begin with /');
  return path
    .slice(1)
    .split('/')
    .map((segment, index, all) => {
      // A path may end in a slash.
      if (segment === '' && index < all.length - 1) throw new TemplateError(['path'], 'has an empty segment');
      if (isDotSegment(decodeDots(segment))) throw new TemplateError(['path'], 'must not have the segments . and ..');
      const parts = parse(segment);
      for (const part of parts)
        if ('literal' in part && !segmentLiteral.test(part.literal))
          throw new TemplateError(['path'], 'has a character that must be percent-encoded, or is no part of a path');
      return parts;
    });
}

function parseBody(
  body: Json,
  at: readonly (string | number)[],
  text: (source: string, at: readonly (string | number)[]) => Text,
): Body {
  if (typeof body === 'string') return text(body, at);
  if (typeof body !== 'object' || body === null) return body;
  if (Array.isArray(body)) return { items: body.map((item, index) => parseBody(item, [...at, index], text)) };
  return { members: Object.entries(body).map(([key, value]) => [key, parseBody(value, [...at, key], text)] as const) };
}

function fillText(text: Text, parameters: Parameters): string {
  return text
    .map((part) => {
      if ('literal' in part) return part.literal;
      const value = parameters.get(part.parameter)!;
      return part.format ? formats[part.format](value) : value;
    })
    .join('');
}

function fillSegment(segment: Text, parameters: Parameters): string | 'impossible' {
  let filled = '';
  for (const part of segment) {
    if ('literal' in part) {
      filled += part.literal;
      continue;
    }
    const value = parameters.get(part.parameter)!;
    if (isUnsafeInPath(value) || isDotSegment(value)) return 'impossible';
    filled += percentEncode(part.format ? formats[part.format](value) : value);
  }
  return filled;
}

/** What is a separator once it is decoded, or could be after a second decoding, and control characters. */
function isUnsafeInPath(value: string): boolean {
  // oxlint-disable-next-line no-control-regex -- it is them that are looked for
  return value === '' || /[\u0000-\u001f\u007f/\\%]/.test(value);
}

function isDotSegment(segment: string): boolean {
  return segment === '.' || segment === '..';
}

function decodeDots(segment: string): string {
  return segment.replaceAll(/%2e/gi, '.');
}

function fillBody(body: Body, parameters: Parameters): Json {
  if (typeof body !== 'object' || body === null) return body;
  if ('items' in body) return body.items.map((item) => fillBody(item, parameters));
  if ('members' in body) return Object.fromEntries(body.members.map(([key, value]) => [key, fillBody(value, parameters)]));
  return fillText(body, parameters);
}

/** Everything but RFC 3986's unreserved characters: encodeURIComponent leaves those that OData and old gateways give a meaning. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
