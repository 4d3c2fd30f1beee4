import type { AttributeValue } from '#claims';
import type { FilterNode } from './filter-parser.js';
import { resemblance, type Resemblance } from './string-preparation.js';

type Values = ReadonlyMap<string, string>;
type Attributes = (attribute: string) => readonly AttributeValue[];
type Judge = (values: Values, attributes: Attributes) => Resemblance;

/** Of all that must hold, the first of these that one of them is. */
const ofAll: readonly Resemblance[] = ['alike', 'absent', 'untold', 'same'];
/** Of alternatives. One that may have found the entry, but cannot be judged, leaves the others to the directory as well. */
const ofAny: readonly Resemblance[] = ['same', 'untold', 'alike', 'absent'];

/**
 * What an entry that a filter found must show, so that it has the values and not only something that the directory takes for them.
 * Below `&` nothing may be only alike; of the alternatives of `|` one must be the same. What is compared by `>=`, `~=`, a matching rule
 * or below `!` is left to the directory.
 */
export class Evidence {
  private constructor(
    private readonly judge: Judge,
    /** To be read of the entry. */
    readonly attributes: readonly string[],
  ) {}

  static of(filter: FilterNode): Evidence {
    const attributes = new Map<string, string>();
    const judge = dependsOnValues(filter) ? judgeOf(filter, attributes) : (): Resemblance => 'untold';
    return new Evidence(judge, [...attributes.values()]);
  }

  /** Whether the entry with these attributes is only like what was asked for by these values. */
  isOnlyAlike(values: Values, attributes: Attributes): boolean {
    return this.judge(values, attributes) === 'alike';
  }
}

/** @param read takes up the attributes that are needed, by their names in lower case */
function judgeOf(node: FilterNode, read: Map<string, string>): Judge {
  switch (node.kind) {
    case 'and': {
      // What has no value in it is the same for everybody; it counts only where the entry may have been found by nothing else.
      const dependent = node.children.filter(dependsOnValues);
      return first(ofAll, dependent.length > 0 ? dependent : node.children, read);
    }
    case 'or':
      return first(ofAny, node.children, read);
    case 'present':
      read.set(node.attribute.toLowerCase(), node.attribute);
      return (_, attributes) => (attributes(node.attribute).length > 0 ? 'same' : 'absent');
    case 'equal': {
      const { attribute, value } = node;
      if (value.kind === 'placeholder' && value.format !== 'text') return () => 'untold';
      read.set(attribute.toLowerCase(), attribute);
      const asked = (values: Values): string =>
        value.kind === 'literal' ? value.bytes.toString('utf8') : (values.get(value.name) ?? '');
      return (values, attributes) => resemblance(asked(values), attribute, attributes(attribute));
    }
    default:
      return () => 'untold';
  }
}

function first(order: readonly Resemblance[], nodes: readonly FilterNode[], read: Map<string, string>): Judge {
  const judges = nodes.map((node) => judgeOf(node, read));
  return (values, attributes) => {
    const found = new Set(judges.map((judge) => judge(values, attributes)));
    return order.find((each) => found.has(each))!;
  };
}

function dependsOnValues(node: FilterNode): boolean {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.children.some(dependsOnValues);
    case 'not':
      return dependsOnValues(node.child);
    case 'present':
    case 'substrings':
      return false;
    default:
      return node.value.kind === 'placeholder';
  }
}
