import { foldCase } from '../fold-case.js';

/** A row: the values of each column by its name in lower case. A column without a value is absent. */
export type TableRecord = ReadonlyMap<string, readonly string[]>;

/** Records, and the names of all their columns in lower case. */
export interface Table {
  readonly columns: ReadonlySet<string>;
  readonly records: readonly TableRecord[];
}

/** The first of these columns that the table does not have; an empty table says nothing of its columns. */
export function missingColumn({ columns }: Table, wanted: readonly string[]): string | undefined {
  return columns.size === 0 ? undefined : wanted.find((column) => !columns.has(column.toLowerCase()));
}

/** By which columns records are found. */
export interface KeyRule {
  readonly columns: readonly string[];
  readonly ignoreCase: boolean;
}

/**
 * The records of a table by one or more columns. Texts are the same if they are the same code points: nothing is trimmed, normalised
 * or transliterated, so that no look-alike finds somebody else.
 */
export class TableIndex {
  private readonly byKey = new Map<string, TableRecord | 'several'>();

  constructor(
    { records }: Table,
    private readonly rule: KeyRule,
  ) {
    for (const record of records) {
      const values = rule.columns.map((column) => record.get(column.toLowerCase()) ?? []);
      // A column with several values is a key by each of them.
      for (const key of new Set(combinations(values).map((texts) => this.keyOf(texts))))
        this.byKey.set(key, this.byKey.has(key) ? 'several' : record);
    }
  }

  /** @param texts one for each column of the rule */
  find(texts: readonly string[]): TableRecord | 'several' | undefined {
    return this.byKey.get(this.keyOf(texts));
  }

  private keyOf(texts: readonly string[]): string {
    return JSON.stringify(this.rule.ignoreCase ? texts.map(foldCase) : texts);
  }
}

function combinations(values: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return values.reduce<readonly (readonly string[])[]>(
    (found, column) => found.flatMap((texts) => column.map((text) => [...texts, text])),
    [[]],
  );
}
