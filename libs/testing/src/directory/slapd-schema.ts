/**
 * The part of Active Directory's schema that tests and the demo use, for OpenLDAP, with Active Directory's own object identifiers
 * ([MS-ADA1]–[MS-ADA3], [MS-ADSC]). Everything else comes from OpenLDAP's core.schema.
 */
interface AttributeType {
  readonly name: string;
  readonly oid: string;
  readonly syntax: keyof typeof syntaxes;
  readonly single?: boolean;
}

const syntaxes = {
  text: 'EQUALITY caseIgnoreMatch ORDERING caseIgnoreOrderingMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15',
  octets: 'EQUALITY octetStringMatch ORDERING octetStringOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40',
  integer: 'EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27',
  name: 'EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12',
} as const;

const attributeTypes: readonly AttributeType[] = [
  { name: 'displayName', oid: '1.2.840.113556.1.2.13', syntax: 'text', single: true },
  { name: 'otherTelephone', oid: '1.2.840.113556.1.2.18', syntax: 'text' },
  { name: 'memberOf', oid: '1.2.840.113556.1.2.102', syntax: 'name' },
  { name: 'department', oid: '1.2.840.113556.1.2.141', syntax: 'text', single: true },
  { name: 'company', oid: '1.2.840.113556.1.2.146', syntax: 'text', single: true },
  { name: 'extensionAttribute1', oid: '1.2.840.113556.1.2.423', syntax: 'text', single: true },
  { name: 'extensionAttribute2', oid: '1.2.840.113556.1.2.424', syntax: 'text', single: true },
  { name: 'objectGUID', oid: '1.2.840.113556.1.4.2', syntax: 'octets', single: true },
  { name: 'userAccountControl', oid: '1.2.840.113556.1.4.8', syntax: 'integer', single: true },
  { name: 'pwdLastSet', oid: '1.2.840.113556.1.4.96', syntax: 'integer', single: true },
  { name: 'accountExpires', oid: '1.2.840.113556.1.4.159', syntax: 'integer', single: true },
  { name: 'lockoutTime', oid: '1.2.840.113556.1.4.662', syntax: 'integer', single: true },
  { name: 'employeeID', oid: '1.2.840.113556.1.4.35', syntax: 'text', single: true },
  { name: 'primaryGroupID', oid: '1.2.840.113556.1.4.98', syntax: 'integer', single: true },
  { name: 'objectSid', oid: '1.2.840.113556.1.4.146', syntax: 'octets', single: true },
  { name: 'sAMAccountName', oid: '1.2.840.113556.1.4.221', syntax: 'text', single: true },
  { name: 'userPrincipalName', oid: '1.2.840.113556.1.4.656', syntax: 'text', single: true },
  { name: 'groupType', oid: '1.2.840.113556.1.4.750', syntax: 'integer', single: true },
  { name: 'mS-DS-ConsistencyGuid', oid: '1.2.840.113556.1.4.1360', syntax: 'octets', single: true },
];

const ownNames = attributeTypes.map(({ name }) => name);
const coreNames = [
  'sn',
  'givenName',
  'mail',
  'title',
  'telephoneNumber',
  'description',
  'userPassword',
  'member',
  'ou',
  'o',
  'l',
  'c',
];

const objectClasses = [
  { name: 'user', oid: '1.2.840.113556.1.5.9' },
  { name: 'group', oid: '1.2.840.113556.1.5.8' },
];

/** For an `include` of slapd.conf, after core.schema. Both classes are structural and may carry every attribute above. */
export const activeDirectorySchema = [
  ...attributeTypes.map(
    ({ name, oid, syntax, single }) =>
      `attributetype ( ${oid} NAME '${name}' ${syntaxes[syntax]}${single === true ? ' SINGLE-VALUE' : ''} )`,
  ),
  ...objectClasses.map(
    ({ name, oid }) =>
      `objectclass ( ${oid} NAME '${name}' SUP top STRUCTURAL MUST cn MAY ( ${[...coreNames, ...ownNames].join(' $ ')} ) )`,
  ),
  '',
].join('\n');
