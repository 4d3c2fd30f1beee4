import { nameValue, valuesOfName } from './distinguished-name.js';
import { guidBytes, sidBytes } from './identifiers.js';
import { resemblance } from './string-preparation.js';

export type BaseTemplateResult =
  | { readonly kind: 'parsed'; readonly template: BaseTemplate }
  | { readonly kind: 'refused'; readonly reason: string };

type Values = ReadonlyMap<string, string>;
/** A text, or what makes it from the values; undefined where a value is impossible. */
type Piece = string | ((values: Values) => string | undefined);

/** Where in a name a placeholder stands, by the number of RDNs behind it. */
interface Place {
  readonly parameter: string;
  readonly behind: number;
}

const placeholder = /\{([^{}]*)\}/;
const identifier = /^<(SID|GUID)=\{([A-Za-z][A-Za-z0-9_]*):(sid|guid)\}>$/i;
const valueBegins = /(?:^|[,+])\s*(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=$/;

/**
 * The entry at which a search begins: a distinguished name (RFC 4514), or one of Active Directory's forms `<SID=…>` and `<GUID=…>`
 * (MS-ADTS §3.1.1.3.1.2.4). A placeholder stands for one whole attribute value, `uid={name},ou=People,dc=corp`, or for the whole
 * identifier, `<SID={name:sid}>`, `<GUID={name:guid}>`. Its value is written escaped or as the identifier's bytes, never as it is.
 */
export class BaseTemplate {
  private constructor(
    private readonly pieces: readonly Piece[],
    /** The names of the placeholders. */
    readonly parameters: ReadonlySet<string>,
    private readonly places: readonly Place[],
  ) {}

  static parse(text: string): BaseTemplateResult {
    const refused = (reason: string): BaseTemplateResult => ({ kind: 'refused', reason });
    const parsed = (pieces: readonly Piece[], names: readonly string[], places: readonly Place[] = []): BaseTemplateResult => ({
      kind: 'parsed',
      template: new BaseTemplate(pieces, new Set(names), places),
    });
    const [, form, name, format] = identifier.exec(text) ?? [];
    if (form !== undefined && name !== undefined && format !== undefined) {
      if (form.toLowerCase() !== format.toLowerCase()) return refused(`<${form}=…> takes {${name}:${form.toLowerCase()}}`);
      return parsed([identifierPiece(form.toUpperCase() as 'SID' | 'GUID', name)], [name]);
    }
    const pieces: Piece[] = [];
    const names: string[] = [];
    const parts = text.split(placeholder);
    for (const [index, part] of parts.entries()) {
      if (index % 2 === 0) {
        if (/[{}]/.test(part)) return refused('has a brace alone; write a brace as \\7b or \\7d');
        pieces.push(part);
        continue;
      }
      if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(part))
        return refused(`{${part}} is not a placeholder here; {name} is a value of a name, <SID={name:sid}> a whole base`);
      if (!valueBegins.test(parts[index - 1]!) || !/^\s*(?:$|[,+])/.test(parts[index + 1]!))
        return refused(`{${part}} must be a whole attribute value, as in uid={${part}},ou=People,dc=corp`);
      names.push(part);
      pieces.push((values) => nameValue(valueOf(values, part)));
    }
    const places = placesOf(parts);
    return places ? parsed(pieces, names, places) : refused('is not a distinguished name (RFC 4514)');
  }

  /** Whether which entry it is depends on a value, so that one that does not exist is nobody and no mistake of the configuration. */
  get isFilled(): boolean {
    return this.parameters.size > 0;
  }

  /**
   * The base with these values; `impossible` where a value cannot be what its placeholder stands for: no entry can be there.
   * @throws Error where a value is missing, which is a defect of the caller
   */
  encode(values: Values): { readonly name: string } | 'impossible' {
    let name = '';
    for (const piece of this.pieces) {
      const text = typeof piece === 'string' ? piece : piece(values);
      if (text === undefined) return 'impossible';
      name += text;
    }
    return { name };
  }

  /**
   * Whether an entry at or below the base with these values has other ones in its name, which the directory only takes for them: to
   * Active Directory `cn=adéle` is `cn=adele`.
   */
  isOnlyAlike(values: Values, name: string): boolean {
    if (this.places.length === 0) return false;
    const rdns = valuesOfName(name);
    return this.places.some(
      ({ parameter, behind }) => resemblance(valueOf(values, parameter), '', rdns?.at(-1 - behind) ?? []) !== 'same',
    );
  }
}

/** @param parts text and names of placeholders in turn */
function placesOf(parts: readonly string[]): readonly Place[] | undefined {
  if (parts.length === 1) return [];
  const marked = parts.map((part, index) => (index % 2 === 1 ? nameValue(`\0${part}`) : part)).join('');
  return valuesOfName(marked)?.flatMap((rdn, index, { length }) =>
    rdn.flatMap((value) => (value.startsWith('\0') ? [{ parameter: value.slice(1), behind: length - 1 - index }] : [])),
  );
}

/** In hexadecimal, the form that every version of Active Directory reads. */
function identifierPiece(form: 'SID' | 'GUID', name: string): Piece {
  const bytesOf = form === 'SID' ? sidBytes : guidBytes;
  return (values) => {
    const bytes = bytesOf(valueOf(values, name));
    return bytes && `<${form}=${bytes.toString('hex')}>`;
  };
}

function valueOf(values: Values, name: string): string {
  const text = values.get(name);
  if (text === undefined) throw new Error(`the parameter ${name} is missing`);
  return text;
}
