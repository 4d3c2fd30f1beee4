import 'reflect-metadata';
import { userInfo } from 'node:os';
import { MappingRepository } from '#claims';
import { NestFactory } from '@nestjs/core';
import { readConfiguration, type Configuration } from './config.js';
import { CoreModule, openMappingFolder, openMappingTables } from './core.module.js';
import { ClaimMappingService } from './mapping/claim-mapping.service.js';
import { importMappings } from './mapping/import-mappings.js';

const usage = `npm run mappings -- migrate         brings the tables of the mapping store up to date
npm run mappings -- revert          takes back the last migration; what it had added is lost
npm run mappings -- import FOLDER   publishes the YAML files of a folder that are not in force as they are`;

/** Works on the mapping store that the configuration names. @returns the exit code */
async function main([command, folder]: readonly string[]): Promise<number> {
  if (command === 'migrate' || command === 'revert') return changeTables(await readConfiguration(), command);
  if (command === 'import' && folder !== undefined) return importFolder(await readConfiguration(), folder);
  say(usage);
  return 2;
}

async function changeTables(configuration: Configuration, command: 'migrate' | 'revert'): Promise<number> {
  const tables = await openMappingTables(configuration);
  if (!tables) return withoutDatabase();
  try {
    if (command === 'revert') await tables.revertMigration();
    else for (const name of await tables.migrate()) say(`migrated: ${name}`);
    say('The tables are as they should be.');
    return 0;
  } finally {
    await tables.close();
  }
}

async function importFolder(configuration: Configuration, folder: string): Promise<number> {
  if (!configuration.document.mappings.postgres) return withoutDatabase();
  const loaded = await openMappingFolder(folder).load();
  if (loaded.kind === 'unavailable') {
    say(loaded.detail);
    return 1;
  }
  const core = await NestFactory.createApplicationContext(CoreModule.of(configuration), { logger: false, abortOnError: false });
  try {
    const { context } = core.get(ClaimMappingService);
    const actor = { id: `import by ${userInfo().username}` };
    const results = await importMappings(loaded.mappings, core.get(MappingRepository), context, actor);
    for (const result of results) {
      say(`${result.kind}: ${result.origin}`);
      if (result.kind === 'refused') for (const { path, reason } of result.issues) say(`  ${path.join('.')}: ${reason}`);
    }
    return results.some(({ kind }) => kind === 'refused') ? 1 : 0;
  } finally {
    await core.close();
  }
}

function withoutDatabase(): number {
  say('The configuration keeps mappings in files: there are no tables.');
  return 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : 'unknown error'}\n`);
    process.exit(1);
  },
);
