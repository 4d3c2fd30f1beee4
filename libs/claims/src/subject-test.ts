import type { Subject, SubjectProperty } from './subject.js';

/** A test of one property of the subject. Texts compare ignoring case. */
export type SubjectTest =
  | { readonly kind: 'oneOf'; readonly texts: readonly string[] }
  | { readonly kind: 'noneOf'; readonly texts: readonly string[] }
  | { readonly kind: 'startsWith'; readonly text: string }
  | { readonly kind: 'endsWith'; readonly text: string }
  | { readonly kind: 'present'; readonly wanted: boolean };

export type SubjectTests = Readonly<Partial<Record<SubjectProperty, SubjectTest>>>;

/** Whether every test holds. An absent property fulfils no test but `present: false`: what is not known proves nothing. */
export function holds(tests: SubjectTests, subject: Subject): boolean {
  return Object.entries(tests).every(([property, test]) => fulfils(subject[property as SubjectProperty], test));
}

function fulfils(value: string | undefined, test: SubjectTest): boolean {
  if (test.kind === 'present') return (value !== undefined) === test.wanted;
  if (value === undefined) return false;
  const text = value.toLowerCase();
  switch (test.kind) {
    case 'oneOf':
      return test.texts.some((candidate) => candidate.toLowerCase() === text);
    case 'noneOf':
      return test.texts.every((candidate) => candidate.toLowerCase() !== text);
    case 'startsWith':
      return text.startsWith(test.text.toLowerCase());
    case 'endsWith':
      return text.endsWith(test.text.toLowerCase());
  }
}
