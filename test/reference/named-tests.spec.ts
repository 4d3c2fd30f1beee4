import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** Each "title" that follows the name of a spec in the page, with the file in which it must be. */
async function namedTests(page: string, folder: string): Promise<readonly (readonly [file: string, title: string])[]> {
  const text = await readFile(path.join(root, page), 'utf8');
  return [...text.matchAll(/`([\w./-]+\.spec\.ts)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, file, titles]) =>
    [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => [file!.includes('/') ? file! : `${folder}/${file}`, title!] as const),
  );
}

const named = await namedTests('docs/adr/0003-passport-azure-ad.md', 'libs/entra-auth/src');

it('ADR 0003 names a test for each of the sixteen defects', async () => {
  const text = await readFile(path.join(root, 'docs/adr/0003-passport-azure-ad.md'), 'utf8');
  const rows = [...text.matchAll(/^\| D(\d+) \|.*$/gm)];
  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  for (const [row] of rows) expect(row).toMatch(/\.spec\.ts`: "/);
});

it.each(named)('%s has "%s"', async (file, title) => {
  expect(await readFile(path.join(root, file), 'utf8')).toContain(`'${title}'`);
});
