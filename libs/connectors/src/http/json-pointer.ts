/** A JSON Pointer (RFC 6901). */
export class JsonPointer {
  private constructor(
    readonly text: string,
    private readonly tokens: readonly string[],
  ) {}

  /** Undefined where the text is no pointer. */
  static parse(text: string): JsonPointer | undefined {
    if (!/^(?:\/(?:[^~/]|~[01])*)*$/.test(text)) return undefined;
    const tokens = text.split('/').slice(1);
    return new JsonPointer(
      text,
      tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')),
    );
  }

  /** What is there, or undefined where nothing is. */
  find(document: unknown): unknown {
    let value = document;
    for (const token of this.tokens) {
      if (typeof value !== 'object' || value === null) return undefined;
      if (Array.isArray(value) && !/^(?:0|[1-9][0-9]*)$/.test(token)) return undefined;
      if (!Object.hasOwn(value, token)) return undefined;
      value = (value as Record<string, unknown>)[token];
    }
    return value;
  }
}
