import { styleText } from 'node:util';
import Table from 'cli-table3';

/** Why a command was not carried out, or not to its end. */
export interface Refusal {
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly exitCode: number;
}

/** Where a command's results go: tables for people at a terminal, one JSON document for everything else. */
export class Output {
  private document: object | undefined;

  constructor(
    private readonly stream: NodeJS.WritableStream,
    /** Whether the result is one JSON document. */
    readonly json: boolean,
    private readonly colours: boolean,
  ) {}

  /** The result: as JSON when the command ends, or as these lines. */
  result(document: object, lines: () => readonly string[]): void {
    if (this.json) this.document = document;
    else this.write(lines().join('\n'));
  }

  /** The command has ended. The one JSON document has what came of it, and why there is no more. */
  end(error?: Refusal): void {
    if (this.json && (this.document ?? error) !== undefined)
      this.write(JSON.stringify({ ...this.document, ...(error && { error }) }, undefined, 2));
  }

  private write(text: string): void {
    if (text !== '') this.stream.write(`${text}\n`);
  }

  good(text: string): string {
    return this.colours ? styleText('green', text, { validateStream: false }) : text;
  }

  bad(text: string): string {
    return this.colours ? styleText('red', text, { validateStream: false }) : text;
  }

  /** Rows under heads, without frames, as wide as they are. */
  table(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
    if (rows.length === 0) return [];
    const none = Object.fromEntries(
      [
        'top',
        'top-mid',
        'top-left',
        'top-right',
        'bottom',
        'bottom-mid',
        'bottom-left',
        'bottom-right',
        'left',
        'left-mid',
        'mid',
        'mid-mid',
        'right',
        'right-mid',
      ].map((name) => [name, '']),
    );
    const table = new Table({
      head: heads.map((head) => head.toUpperCase()),
      chars: { ...none, middle: '  ' },
      style: { 'padding-left': 0, 'padding-right': 0, head: this.colours ? ['bold'] : [], border: [] },
    });
    table.push(...rows.map((row) => row.map(printable)));
    return table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd());
  }
}

/** Text of others without what steers a terminal: a value could otherwise hide lines or rewrite them. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}
