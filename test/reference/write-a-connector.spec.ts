import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const library = path.join(root, 'libs/connectors/src');
const guide = await readFile(path.join(root, 'docs/guides/write-a-connector.md'), 'utf8');

/** Each block of TypeScript with the file that the line before it names. */
const blocks = [...guide.matchAll(/^`libs\/connectors\/src\/folder\/([\w.-]+)`\n\n```ts\n(.*?)^```$/gms)].map(
  ([, file, text]) => ({ file: file!, text: text! }),
);

// Below the project's package.json, so that #claims means there what it means in the project.
await mkdir(path.join(root, '.state'), { recursive: true });
const folder = await mkdtemp(path.join(root, '.state/connector-guide-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

// The settings of the project, decorators among them, for files that its own tsconfig.json does not include.
await writeFile(
  path.join(folder, 'tsconfig.json'),
  JSON.stringify({ extends: path.join(root, 'tsconfig.json'), include: ['.'] }),
);

/** What the guide imports from the library stays where it is. */
const up = path.relative(folder, library).replaceAll(path.sep, '/');
for (const { file, text } of blocks) await writeFile(path.join(folder, file), text.replaceAll("from '../", `from '${up}/`));

describe('the guide to connectors', () => {
  it('has all its code in files that it names', () => {
    expect(blocks.map(({ file }) => file)).toEqual([
      'folder-config.ts',
      'folder-source.ts',
      'folder-connector.ts',
      'folder-connector.module.ts',
      'folder-source.conformance.spec.ts',
    ]);
    expect(guide.match(/^```ts$/gm)).toHaveLength(blocks.length);
  });

  it('compiles by the project’s own settings', () => {
    const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile) as { config: unknown };
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const declarations = fileNames.filter((file) => file.endsWith('.d.ts'));
    const program = ts.createProgram([...blocks.map(({ file }) => path.join(folder, file)), ...declarations], options);
    expect(
      ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    ).toEqual([]);
  });

  it('names files and folders that are there', async () => {
    const named = [...guide.matchAll(/`((?:libs|apps|test)\/[\w./-]+\.\w+)`/g)].map(([, file]) => file!);
    for (const file of named.filter((each) => !each.includes('/folder/'))) await readFile(path.join(root, file));
    expect(named).toContain('apps/claims-api/src/core.module.ts');
  });
});

// The guide's own spec: the conformance suite against the guide's own connector.
await import(path.join(folder, 'folder-source.conformance.spec.ts'));
