import { Attributes, ambiguous, found, notFound, type LookupQuery, type Outcome } from '#claims';
import { FakeSource } from '#testing';
import { conformancePeople, describeSource, type ConformancePerson } from './source.conformance.js';

/** Specs of other parts rely on the fake, so it must answer as the real sources do. */
describeSource('the fake', () => {
  const by =
    (property: 'userPrincipalName' | 'department', parameter: string) =>
    ({ parameters, projection }: LookupQuery): Outcome => {
      const [person, another] = conformancePeople.filter((each) => each[property] === parameters.get(parameter));
      if (!person) return notFound('noEntry');
      return another ? ambiguous : found(new Attributes(entries(person, projection)));
    };
  const source = new FakeSource('fake', {
    person: { parameters: ['upn'], answer: by('userPrincipalName', 'upn') },
    colleague: { parameters: ['department'], answer: by('department', 'department') },
    located: {
      locate: [{ key: 'onPremisesUserPrincipalName', when: {}, fallThrough: false }],
      answer: by('userPrincipalName', 'value'),
    },
  });
  return Promise.resolve({ source, stop: () => source.close() });
});

function entries(person: ConformancePerson, projection: readonly string[]): [string, string[]][] {
  const wanted = new Set(projection.map((name) => name.toLowerCase()));
  return Object.entries(person)
    .filter(([name]) => wanted.has(name.toLowerCase()))
    .map(([name, value]): [string, string[]] => [name, [value].flat() as string[]]);
}
