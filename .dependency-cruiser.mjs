// Who may import whom. docs/adr/0002-layout-and-dependency-rule.md says why; every rule is proven by test/architecture.
const tests = '(\\.spec|\\.conformance|\\.harness)\\.ts$|^test/|^libs/[^/]+/test/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle is one module in several files: it can be understood, tested and replaced only as a whole.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'An import that cannot be resolved is not seen by the other rules.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'library-by-its-index',
      severity: 'error',
      comment: 'A library hides what is behind its index; whoever reaches around it depends on what may change any day.',
      from: { path: '^(apps|libs|test)/([^/]+)' },
      to: { path: '^libs/([^/]+)/src/(?!index\\.ts$)', pathNot: '^libs/$2/' },
    },
    {
      name: 'core-knows-no-adapter',
      severity: 'error',
      comment: 'The core decides what happens; a source, a store, a protocol or the wire must not shape it.',
      from: { path: '^libs/claims/', pathNot: tests },
      to: { path: '^(apps|libs)/', pathNot: '^libs/(claims|adfs-rules)/' },
    },
    {
      name: 'core-without-framework',
      severity: 'error',
      comment:
        'Mapping and AD FS rules must run in a CLI, a worker and a browser: no framework, no driver. zod reads documents, re2js matches, ' +
        '@bufbuild/cel parses conditions: three libraries without a host behind them.',
      from: { path: '^libs/(claims|adfs-rules)/', pathNot: tests },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'], pathNot: 'node_modules/(zod|re2js|@bufbuild/cel)/' },
    },
    {
      name: 'leaf-libraries',
      severity: 'error',
      comment:
        'The wire contract, the token check and the log serve other teams alone, and a driver knows nobody: they must not drag the ' +
        'product in.',
      from: { path: '^libs/(auth-events|entra-auth|adfs-rules|observability|postgres-client)/', pathNot: tests },
      to: { path: '^(apps|libs)/', pathNot: '^libs/$1/' },
    },
    {
      name: 'adapters-see-the-core-only',
      severity: 'error',
      comment:
        'An adapter implements a port of the core; what else it knew would tie two adapters together. The client of PostgreSQL is a ' +
        'driver.',
      from: { path: '^libs/(connectors|mapping-store)/', pathNot: tests },
      to: { path: '^(apps|libs)/', pathNot: '^libs/(claims|postgres-client|$1)/' },
    },
    {
      name: 'configuration-knows-core-and-connectors',
      severity: 'error',
      comment:
        'The operator’s file is checked by the service and by the command line; what else it knew, both would have to start.',
      from: { path: '^libs/configuration/', pathNot: tests },
      to: { path: '^(apps|libs)/', pathNot: '^libs/(claims|connectors|configuration)/' },
    },
    {
      name: 'connectors-apart',
      severity: 'error',
      comment: 'A change for one kind of source must never break another.',
      from: { path: '^libs/connectors/src/(ldap|postgres|http|static)/', pathNot: tests },
      to: { path: '^libs/connectors/src/(ldap|postgres|http|static)/', pathNot: '^libs/connectors/src/$1/' },
    },
    {
      name: 'ldapts-in-its-adapter',
      severity: 'error',
      comment: 'The driver has defects that only its adapter knows the way round.',
      from: { path: '^(apps|libs|test)/', pathNot: `^libs/connectors/src/ldap/|^libs/testing/|${tests}` },
      to: { path: 'node_modules/ldapts/' },
    },
    {
      name: 'pg-in-its-adapter',
      severity: 'error',
      comment: 'Pools, time limits and the encoding of values live in one place.',
      from: {
        path: '^(apps|libs|test)/',
        pathNot: `^libs/(connectors/src/postgres|mapping-store|postgres-client|testing)/|${tests}`,
      },
      to: { path: '^libs/postgres-client/|node_modules/(pg|pg-protocol|@types/pg)/' },
    },
    {
      name: 'passport-azure-ad-in-entra-auth',
      severity: 'error',
      comment:
        'The package is archived and defective; only the library that overrides its defects may touch it, and who compares with it.',
      from: { path: '^(apps|libs|test)/', pathNot: '^libs/entra-auth/|^test/bench/servers/' },
      to: { path: 'node_modules/passport-azure-ad/' },
    },
    {
      name: 'simulator-is-independent',
      severity: 'error',
      comment: 'A judge that shares code with the judged repeats its mistakes.',
      from: { path: '^apps/entra-simulator/' },
      to: { path: '^(apps|libs)/', pathNot: '^apps/entra-simulator/' },
    },
    {
      name: 'applications-apart',
      severity: 'error',
      comment: 'Applications meet over HTTP and files; what two of them need is a library.',
      from: { path: '^(apps)/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$2/' },
    },
    {
      name: 'libraries-below-applications',
      severity: 'error',
      comment: 'A library that knows an application can be used by no other.',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'testing-stays-out-of-the-product',
      severity: 'error',
      comment: 'Servers that exist to be broken do not belong in the image.',
      from: { path: '^(apps|libs)/', pathNot: `^libs/testing/|^apps/demo/|${tests}` },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'product-without-development-packages',
      severity: 'error',
      comment: 'The image has no development packages: the service would not start.',
      from: { path: '^(apps/claims-api|libs)/', pathNot: `^libs/testing/|${tests}` },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'one-composition-root',
      severity: 'error',
      comment: 'core.module.ts alone chooses adapters, so that another store or connector is one line of one file.',
      from: { path: '^apps/claims-api/', pathNot: `core\\.module\\.ts$|${tests}` },
      to: { path: '^libs/mapping-store/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'specs-are-leaves',
      severity: 'error',
      comment: 'What two specs need is a builder of libs/testing; a spec that is imported runs twice.',
      from: {},
      to: { path: '\\.spec\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['claimbridge-source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
