import { stringify } from './write-example.js';
import { mappingJsonSchema } from '../mapping/mapping-document.js';
import { conditionReference, transformReference } from './transform-reference.js';

interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
}

/** docs/reference/mapping-language.md: what the schema, the transforms and the conditions say of themselves. */
export function mappingLanguageReference(): string {
  const schema = mappingJsonSchema() as Schema;
  const [mapping, claimSet] = schema.anyOf!;
  const { lookup, claim, test } = schema.$defs!;
  return `# The mapping language

This page is made from the schema that the service checks by ([mapping.schema.json](mapping.schema.json)); \`npm run schema\` writes it.
Start with [your first mapping](../guides/first-mapping.md). What a claim becomes when something fails: [outcomes](outcomes.md).

An editor with a YAML language server completes and checks a document that begins with this line, the path being that of the schema from the
document; the service serves the schema too, at \`/admin/v1/schemas/mapping\`:

\`\`\`yaml
# yaml-language-server: $schema=../docs/reference/mapping.schema.json
\`\`\`

Unknown keys are refused at every level. Attribute names compare ignoring case, names of claims do not. A claim is **text**, unless it says
\`list: true\` or its last transform yields a list (\`Split\`); a list is always sent as a list, also with one value. Text from several values is
treated as unavailable: say \`First\` or \`Join\`. Which of the two a claim is, is known when the mapping compiles.

## Mapping
${keys(mapping!)}
## Claim set
Lookups and claims that mappings take over by \`include\`. A claim set must compile by itself. A mapping may use its lookups; a claim of the
mapping's own replaces one of a claim set, two claim sets that give the same claim are refused, and so is one alias that means two lookups. Names
are unique within a tenant for mappings and claim sets together. A claim set is published like a mapping, and refused where a mapping
that includes it would no longer compile or has a red test.

${keys(claimSet!)}
## Lookup
${keys(lookup!)}
## Claim
A claim has either \`from\` or \`value\`.

${keys(claim!)}
## Conditions
\`when\` is an expression in CEL ([Common Expression Language](https://cel.dev)), checked when the mapping compiles: names, types, and how
much it may cost. An attribute is read as a list beside \`in\`, \`size\`, \`filter\`, \`exists\`, \`all\` and \`exists_one\`, and as one text elsewhere.
What is missing proves nothing: a comparison with it is not fulfilled, by \`!=\` neither; a list that is missing is empty. Several values where
one text is compared, and a number that is none, make the claim unavailable.

| written | means |
|---|---|
${conditionReference.map(([form, meaning]) => `| \`${form.replaceAll('|', '\\|')}\` | ${meaning} |`).join('\n')}

An expression has at most 1,000 characters and is nested at most 24 deep; its loops visit at most 20,000 values, nested ones counted each time.

## Transforms
They are applied in order, each to all values of the claim; at most 16 (Entra has two). An empty text is no value. \`{ value: text }\` or
\`{ from: reference }\` is what stands in; \`otherwise\` may also be \`drop\`, \`keep\` or \`{ default: text }\`. A reference is contagious like every other:
if its lookup is unavailable, the claim is, whether or not the value would have been used.

| transform | what it does | in Entra | example |
|---|---|---|---|
${transformReference.map(({ name, does, entra, example }) => `| \`${name}\` | ${does} | ${entra} | ${exampleOf(example)} |`).join('\n')}

Regular expressions have at most 512 characters, are RE2's, and match in time linear in the text. What a claim costs is
counted, by characters and values, its condition and transforms together: what would take longer than about 0.1 s makes the claim unavailable.
All claims of an answer share about 0.3 s; where they use it up, the later ones in the document are unavailable.

## Tests
They run when the mapping is loaded, when it is published and by \`claimbridge test\`; a red test refuses the mapping. They take the path of a
sign-in: locate rules, policies and the size limit apply. \`Hash\` and \`Pairwise\` use a key of 32 zero bytes in every test, never the
operator's: otherwise whoever may validate a document could find out whose pseudonym is whose. A red test is told with the names of the
test and its claims; the values are shown by \`claimbridge test\` and where a document is validated, and never logged.

${keys(test!)}
What a lookup answers under \`given\`:

| written | means |
|---|---|
| \`{ tier: gold, products: [a, b], objectGUID: { base64: … } }\` | found, with these attributes |
| \`notFound\`, \`ambiguous\`, \`unavailable\` | as named |
| \`{ lastKnown: { tier: gold }, age: 2h }\` | unavailable, and this was known 2 h ago |
| \`{ fallback: { tier: gold } }\` or \`{ fallback: notFound }\` | unavailable, and its fallback answers |

## Names that are looked at
| a claim called | is | because |
|---|---|---|
| \`nameid\`, \`…/claims/nameidentifier\` | refused | Entra does not take SAML's NameID from a custom claims provider |
| as another one but for upper and lower case | refused | Entra tells them apart, people do not |
| as in Entra's restricted claim sets (\`roles\`, \`upn\`, \`email\`, …) | a warning | no claims policy emits that name; call it otherwise, or map it to another name in the application's policy. Some SAML names are lifted by a signing key of the application's own |
`;
}

function keys({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([name, property]) => {
    const standard = property.default === undefined ? '' : ` Default: \`${stringify(property.default)}\`.`;
    return `| \`${name}\`${required.includes(name) ? ' (needed)' : ''} | ${shape(property)} | ${property.description ?? ''}${standard} |`;
  });
  return `| key | is | meaning |\n|---|---|---|\n${rows.join('\n')}\n`;
}

/** In words, no deeper than a reader of a table wants. */
function shape(schema: Schema): string {
  if (schema.$ref !== undefined) return `a ${schema.$ref.split('/').at(-1)}`;
  if (schema.const !== undefined) return `\`${stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((each) => `\`${stringify(each)}\``).join(', ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(shape))].join(' or ');
  if (schema.prefixItems) return `[${schema.prefixItems.map(shape).join(', ')}]`;
  if (schema.type === 'array') return `a list: ${schema.items ? shape(schema.items) : 'anything'}`;
  if (schema.type === 'object' && schema.properties) return `\`{ ${Object.keys(schema.properties).join(', ')} }\``;
  if (schema.type === 'object')
    return `by name: ${typeof schema.additionalProperties === 'object' ? shape(schema.additionalProperties) : 'anything'}`;
  return { string: 'text', boolean: 'true or false', null: 'null' }[schema.type ?? ''] ?? schema.type ?? 'anything';
}

function exampleOf({ transform, from, to }: (typeof transformReference)[number]['example']): string {
  const values = (texts: readonly string[]): string =>
    texts.length === 0 ? 'nothing' : texts.map((text) => `\`${text}\``).join(', ');
  return `\`${stringify(transform).replaceAll('|', '\\|')}\`: ${values(from)} → ${values(to)}`;
}
