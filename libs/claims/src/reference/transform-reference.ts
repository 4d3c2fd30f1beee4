/** What the reference says of a transform. A test runs every example, and holds the list to the schema. */
export interface TransformDescription {
  readonly name: string;
  readonly does: string;
  /** Its counterpart in Entra, and what differs. */
  readonly entra: string;
  readonly example: { readonly transform: unknown; readonly from: readonly string[]; readonly to: readonly string[] };
}

const none = 'none';
const onlyName = 'the same';

/** Entra's side: Microsoft, “Customize SAML token claims” and “Claims customization reference” (as of May 2023 and June 2023). */
export const transformReference: readonly TransformDescription[] = [
  {
    name: 'ToLowercase',
    does: 'every letter in lower case',
    entra: 'ToLowercase(), in the portal ToLower()',
    example: { transform: 'ToLowercase', from: ['Ada@Corp.example'], to: ['ada@corp.example'] },
  },
  {
    name: 'ToUppercase',
    does: 'every letter in upper case',
    entra: 'ToUppercase(), in the portal ToUpper()',
    example: { transform: 'ToUppercase', from: ['cc-1'], to: ['CC-1'] },
  },
  {
    name: 'ExtractMailPrefix',
    does: 'what stands before the last @; a value without @ stays as it is',
    entra: onlyName,
    example: { transform: 'ExtractMailPrefix', from: ['ada@corp.example'], to: ['ada'] },
  },
  {
    name: 'Join',
    does: 'all values, and the values of `with` after them, as one text. Where one of `with` is missing, there is no value',
    entra: 'Join() joins two attributes; here any number. It takes no domain off: that is Entra’s rule for NameID',
    example: { transform: { Join: '; ' }, from: ['a', 'b'], to: ['a; b'] },
  },
  {
    name: 'Contains',
    does: 'a value that contains the text becomes `then` (itself where it is left out), another becomes `otherwise` (dropped where it is left out)',
    entra: 'Contains(): input, value, output, output if there is no match. Here upper and lower case are the same',
    example: {
      transform: { Contains: '@corp.example', then: { value: 'staff' }, otherwise: { default: 'partner' } },
      from: ['ada@Corp.example', 'bob@x.example'],
      to: ['staff', 'partner'],
    },
  },
  {
    name: 'StartWith',
    does: 'as Contains, by the beginning',
    entra: 'StartWith(). Here upper and lower case are the same',
    example: { transform: { StartWith: 'US' }, from: ['US-1', 'DE-2'], to: ['US-1'] },
  },
  {
    name: 'EndWith',
    does: 'as Contains, by the end',
    entra: 'EndWith(). Here upper and lower case are the same',
    example: { transform: { EndWith: '000', otherwise: 'keep' }, from: ['7000', '7001'], to: ['7000', '7001'] },
  },
  {
    name: 'Extract',
    does: 'the part after one text, before another, or between two, case included; a value without them becomes `otherwise` (dropped where it is left out)',
    entra: 'Extract() after, before, between matching',
    example: { transform: { Extract: { after: 'Finance_', before: '_US' } }, from: ['Finance_BSimon_US'], to: ['BSimon'] },
  },
  {
    name: 'ExtractAlpha',
    does: 'the letters at the beginning (`prefix`) or the end (`suffix`)',
    entra: 'ExtractAlpha() prefix, suffix. Here letters of every script',
    example: { transform: { ExtractAlpha: 'prefix' }, from: ['BSimon_123'], to: ['BSimon'] },
  },
  {
    name: 'ExtractNumeric',
    does: 'the digits 0 to 9 at the beginning or the end',
    entra: 'ExtractNumeric() prefix, suffix',
    example: { transform: { ExtractNumeric: 'suffix' }, from: ['BSimon_123'], to: ['123'] },
  },
  {
    name: 'IfEmpty',
    does: 'what stands in where there is no value. A source that does not answer is not empty: `whenUnavailable` decides then',
    entra: 'IfEmpty(): null or empty. Its third parameter is another IfNotEmpty',
    example: { transform: { IfEmpty: { value: 'none' } }, from: [], to: ['none'] },
  },
  {
    name: 'IfNotEmpty',
    does: 'what stands in where there is a value; `otherwise` where there is none',
    entra: onlyName,
    example: { transform: { IfNotEmpty: { value: 'yes' } }, from: ['E-1'], to: ['yes'] },
  },
  {
    name: 'Substring',
    does: 'a part by position, counted from 0 in characters; without `length` to the end',
    entra: 'Substring() fixed length, end of string. Here a character is never cut in half',
    example: { transform: { Substring: { start: 6, length: 11 } }, from: ['PleaseExtractThisNow'], to: ['ExtractThis'] },
  },
  {
    name: 'RegexReplace',
    does: 'a value that matches becomes the text of `with`, where {name} is a named group or one of `parameters`; another becomes `otherwise` (kept where it is left out). A parameter without a value leaves no value; one with several, or with bytes, makes the claim unavailable',
    entra:
      "RegexReplace(), .NET expressions. Here RE2: no look-around and no back-references; (?'name'…) is read too. Up to five parameters there, any number here",
    example: {
      transform: { RegexReplace: '^(?<name>.*)@corp\\.example$', with: '{name}@new.example' },
      from: ['ada@corp.example'],
      to: ['ada@new.example'],
    },
  },
  {
    name: 'Split',
    does: 'each value cut at the text, as a list; empty parts are dropped',
    entra: none,
    example: { transform: { Split: ',' }, from: ['a,b'], to: ['a', 'b'] },
  },
  {
    name: 'First',
    does: 'the first value, as text',
    entra: 'what Entra does to every multi-valued source unless told otherwise',
    example: { transform: 'First', from: ['a', 'b'], to: ['a'] },
  },
  {
    name: 'Sort',
    does: 'in the order of code points: the same for everybody',
    entra: none,
    example: { transform: 'Sort', from: ['b', 'a'], to: ['a', 'b'] },
  },
  {
    name: 'Unique',
    does: 'each value once',
    entra: none,
    example: { transform: 'Unique', from: ['a', 'b', 'a'], to: ['a', 'b'] },
  },
  {
    name: 'Filter',
    does: 'only values that fulfil every test; with `not: true` only the others. Upper and lower case are the same, but for `matches`',
    entra: none,
    example: { transform: { Filter: { startsWith: 'app-' } }, from: ['app-1', 'other'], to: ['app-1'] },
  },
  {
    name: 'Map',
    does: 'by a table, upper and lower case being the same; a value that is not in it becomes `otherwise` (dropped where it is left out)',
    entra: none,
    example: { transform: { Map: { 'Finance-Admins': 'admin' } }, from: ['finance-admins', 'Staff'], to: ['admin'] },
  },
  {
    name: 'GroupName',
    does: 'the first value of a distinguished name (RFC 4514), unescaped; other values stay as they are',
    entra: none,
    example: { transform: 'GroupName', from: ['CN=Finance-Admins,OU=Groups,DC=corp'], to: ['Finance-Admins'] },
  },
  {
    name: 'Format',
    does:
      'bytes as text: `guid` (objectGUID), `sid` (objectSid), `base64` (ImmutableID); or a moment: to `date`, `dateTime`, `epoch` or a pattern of ' +
      'yyyy MM dd HH mm ss, from `iso`, `generalizedTime`, `fileTime`, `epoch` or `epochMilliseconds`, in UTC. AD’s “never” is no value',
    entra: none,
    example: { transform: { Format: 'dd.MM.yyyy', from: 'fileTime' }, from: ['133774368000000000'], to: ['30.11.2024'] },
  },
  {
    name: 'Hash',
    does: 'HMAC-SHA-256 or -512 under a secret of the operator, in hexadecimal. There is no hash without a secret: who knows the employee numbers would find each of them',
    entra: none,
    example: {
      transform: { Hash: 'sha256', secret: 'pseudonyms' },
      from: ['E-1'],
      to: ['3652f5c218e15c51042b3b1d0044a49e30c6ab8f9e57c4e0ef2c8a797eca877b'],
    },
  },
  {
    name: 'Pairwise',
    does: 'a pseudonym: the same for one application of one tenant, another for every other, 43 characters. The tenant counts by its alias',
    entra: 'pairwiseid, which Entra makes of its own object ids only',
    example: { transform: { Pairwise: 'pseudonyms' }, from: ['E-1'], to: ['wv2WLx1O1URapyfjDTPombPMriaF-y9K0WFRLq3XS0Y'] },
  },
];

/** What can be said in a condition, by how it is written. A test compiles each of them. */
export const conditionReference: readonly (readonly [form: string, meaning: string])[] = [
  ['subject.userType == "Member"', 'texts compare by every letter; `!=` too'],
  ['person.department in ["Finance", "Sales"]', 'one of these'],
  ['"CN=Staff,DC=corp" in person.memberOf', 'among the values of an attribute'],
  ['has(person.employeeID)', 'whether there is a value'],
  ['person.memberOf.exists(g, g.startsWith("CN=App-"))', 'some value; `all` every value, `exists_one` exactly one'],
  ['person.memberOf.filter(g, g.contains("Admin")).size() > 1', 'how many values; `size(subject.mail)` is a length'],
  ['subject.mail.endsWith("@corp.example")', '`startsWith`, `endsWith`, `contains`'],
  ['person.title.matches("(?i)^head of ")', 'a regular expression (RE2), anywhere in the text'],
  ['subject.userType.lowerAscii() == "guest"', '`lowerAscii`, `upperAscii`'],
  ['int(person.level) >= 3', 'whole numbers: `<` `<=` `>` `>=`'],
  ['has(person.a) && !(person.a == "x") || person.b == "y"', 'and, not, or'],
  ['subject.userType == "Guest" ? has(person.sponsor) : true', 'if … then … else'],
  [
    'application == "3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01"',
    '`application`, `client`, `extension` (ids in lower case), `protocol`, `tenant`',
  ],
  ['person["msDS-cloudExtensionAttribute1"] == "x"', 'an attribute whose name is no word'],
];
