import type { CompileContext } from '#claims';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { printable, type Output } from '../output.js';
import { assumedContext } from './assumed-context.js';
import { examine, type Examined } from './examine.js';
import { readDocuments } from './read-documents.js';

export interface FileOptions {
  /** The operator's configuration file. */
  readonly against?: string;
}

/** Checks mapping documents, and the operator's file where one is named. Their tests run too: a red one refuses a publish. */
export async function validate(output: Output, paths: readonly string[], { against }: FileOptions): Promise<ExitCode> {
  const examined = await examineFiles(paths, against);
  if (examined.kind === 'refused') return reportConfiguration(output, against!, examined.lines);
  const documents = examined.documents.map((document) => ({ ...document, valid: isValid(document) }));
  const invalid = documents.filter(({ valid }) => !valid).length;
  output.result({ valid: invalid === 0, documents }, () => [
    ...documents.flatMap((document) => describeDocument(output, document)),
    invalid === 0 ? output.good(`${documents.length} valid`) : output.bad(`${invalid} of ${documents.length} refused`),
  ]);
  return invalid === 0 ? exitCodes.ok : exitCodes.findings;
}

/** Runs the tests that stand beside mappings. No tests at all is a finding: a run that tests nothing must not look like one that does. */
export async function test(output: Output, paths: readonly string[], { against }: FileOptions): Promise<ExitCode> {
  const examined = await examineFiles(paths, against);
  if (examined.kind === 'refused') return reportConfiguration(output, against!, examined.lines);
  const { documents } = examined;
  const results = documents.flatMap(({ origin, tests }) => tests.map((result) => ({ mapping: origin, ...result })));
  const failed = results.filter(({ passed }) => !passed).length;
  const refused = documents.filter(({ issues }) => issues.length > 0);
  const passed = results.length - failed;
  output.result({ passed, failed, documents: documents.map(({ origin, issues, tests }) => ({ origin, issues, tests })) }, () => [
    ...refused.flatMap((document) => describeDocument(output, document)),
    ...results.flatMap((result) => [
      `${result.passed ? output.good('✓') : output.bad('✗')} ${result.mapping}: ${printable(result.name)}`,
      ...result.why.map((line) => `    ${printable(line)}`),
    ]),
    results.length === 0 ? output.bad('there are no tests') : `${passed} passed, ${failed} failed`,
  ]);
  return failed === 0 && refused.length === 0 && results.length > 0 ? exitCodes.ok : exitCodes.findings;
}

type ExaminedFiles =
  | { readonly kind: 'examined'; readonly documents: readonly Examined[] }
  | { readonly kind: 'refused'; readonly lines: readonly string[] };

async function examineFiles(paths: readonly string[], against: string | undefined): Promise<ExaminedFiles> {
  const documents = await readDocuments(paths);
  let context: CompileContext = assumedContext(documents);
  if (against !== undefined) {
    const { configuredContext } = await import('./configured-context.js');
    const configured = await configuredContext(against);
    if (configured.kind === 'refused') return { kind: 'refused', lines: configured.issues.map(lineOf) };
    context = configured.context;
  }
  return { kind: 'examined', documents: await examine(documents, context) };
}

function reportConfiguration(output: Output, file: string, lines: readonly string[]): ExitCode {
  output.result({ valid: false, configuration: { file, issues: lines } }, () => [
    ...lines.map((line) => `${output.bad('✗')} ${file}: ${line}`),
    output.bad('the configuration is refused, so nothing was checked against it'),
  ]);
  return exitCodes.findings;
}

function isValid({ issues, tests }: Examined): boolean {
  return issues.length === 0 && tests.every(({ passed }) => passed);
}

function describeDocument(output: Output, { origin, issues, warnings, tests }: Examined): readonly string[] {
  const red = tests.filter(({ passed }) => !passed);
  return [
    ...issues.map((issue) => `${output.bad('✗')} ${origin}${issue.line === undefined ? '' : `:${issue.line}`}: ${lineOf(issue)}`),
    ...red.map(({ name, why }) => `${output.bad('✗')} ${origin}: the test “${printable(name)}” is red: ${why.join('; ')}`),
    ...warnings.map((warning) => `! ${origin}: ${lineOf(warning)}`),
    ...(issues.length === 0 && red.length === 0 ? [`${output.good('✓')} ${origin}`] : []),
  ];
}

function lineOf({
  path,
  reason,
  remedy,
}: {
  readonly path: readonly (string | number)[];
  readonly reason: string;
  readonly remedy?: string;
}): string {
  const where = path.length === 0 ? '' : `${path.join('.')}: `;
  return printable(`${where}${reason}${remedy === undefined ? '' : ` (${remedy})`}`);
}
