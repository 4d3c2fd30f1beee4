import { Command, CommanderError, Option } from 'commander';
import { readVariable } from './api/environment.js';
import { doctor } from './doctor/doctor.js';
import { entraPlan, type EntraPlanOptions } from './entra/entra-plan.js';
import { CommandError, exitCodes, type ExitCode } from './exit-codes.js';
import { test, validate, type FileOptions } from './files/file-commands.js';
import { Invocation, type GlobalOptions, type Surroundings } from './invocation.js';
import { etagOfVersion } from './mappings/if-match.js';
import { apply, plan, type ApplyOptions, type PlanOptions } from './mappings/changes.js';
import { preview, type PreviewOptions } from './mappings/preview.js';
import {
  diff,
  exportMappings,
  list,
  publish,
  rollBack,
  type ExportOptions,
  type ListOptions,
  type PublishOptions,
} from './mappings/versions.js';
import { Output, type Refusal } from './output.js';

/**
 * Runs one call of the command line.
 *
 * @param words what stands behind `claimbridge`
 * @returns what the process ends with. What is thrown is a defect
 */
export async function run(words: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const ended: { code: ExitCode } = { code: exitCodes.ok };
  // Before the words are understood: what is wrong with them is told in JSON, too.
  const json = words.includes('--json');
  const output = new Output(surroundings.stdout, json, surroundings.colours && !json);
  try {
    await programFor(surroundings, output, (code) => (ended.code = code)).parseAsync(words, { from: 'user' });
    output.end();
    return ended.code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      output.end(misunderstood(error));
      return exitCodes.usage;
    }
    if (!(error instanceof CommandError)) throw error;
    const { message, remedy, exitCode } = error;
    surroundings.stderr.write(`claimbridge: ${message}\n${remedy === undefined ? '' : `${remedy}\n`}`);
    output.end({ message, remedy, exitCode });
    return exitCode;
  }
}

/** What commander has written to standard error already. */
function misunderstood({ code, message }: CommanderError): Refusal {
  return {
    message: code === 'commander.help' ? 'there is no command' : message.replace(/^error: /, ''),
    remedy: 'claimbridge --help lists the commands.',
    exitCode: exitCodes.usage,
  };
}

function programFor(surroundings: Surroundings, output: Output, end: (code: ExitCode) => void): Command {
  const program = new Command('claimbridge')
    .description('Checks, tests and publishes claim mappings, and looks after the service that answers by them.')
    .option('--json', 'print one JSON document')
    .option('--url <url>', 'the management door; CLAIMBRIDGE_URL, or http://127.0.0.1:9090')
    .exitOverride()
    .showHelpAfterError('(claimbridge --help lists the commands)')
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
    });
  const invocation = (command: Command): Invocation =>
    new Invocation(output, surroundings, command.optsWithGlobals<GlobalOptions>());
  const tenant = (): Option =>
    new Option('--tenant <alias>', 'the tenant, by its alias; CLAIMBRIDGE_TENANT').default(
      readVariable(surroundings.variables, 'CLAIMBRIDGE_TENANT'),
    );
  const ofTenant = (): Option => tenant().makeOptionMandatory();
  const against = (): Option =>
    new Option('--against <file>', 'check by the tenants, sources and lookups of this claimbridge.yaml');
  const comment = (): Option => new Option('--comment <text>', 'why; it stays with the revision').default('');
  const ifMatch = (): Option =>
    new Option(
      '--if-match <version>',
      'the version that diff, preview or list showed: ends with 4 where it is another by now',
    ).argParser(etagOfVersion);

  program
    .command('validate')
    .description('check mapping documents of files and folders, and run their tests')
    .argument('<paths...>')
    .addOption(against())
    .action(async (paths: string[], options: FileOptions) => end(await validate(output, paths, options)));
  program
    .command('test')
    .description('run the tests that stand beside mappings')
    .argument('<paths...>')
    .addOption(against())
    .action(async (paths: string[], options: FileOptions) => end(await test(output, paths, options)));
  program
    .command('list')
    .description('list the mappings of the service')
    .addOption(tenant())
    .option('--application <id>', 'those that name this application')
    .addOption(new Option('--state <state>').choices(['published', 'draft', 'deleted']))
    .action(async (options: ListOptions, command: Command) => {
      const { api } = invocation(command);
      end(await list(api, output, options));
    });
  program
    .command('plan')
    .description('say what apply would change')
    .argument('<paths...>')
    .option('--prune', 'delete what is in no file')
    .option('--check', 'exit with 1 where something would change')
    .action(async (paths: string[], options: PlanOptions, command: Command) => {
      const { api } = invocation(command);
      end(await plan(api, output, paths, options));
    });
  program
    .command('apply')
    .description('publish what the files say')
    .argument('<paths...>')
    .option('--prune', 'delete what is in no file')
    .option('--draft-only', 'save drafts, publish nothing')
    .addOption(comment())
    .action(async (paths: string[], options: ApplyOptions, command: Command) => {
      const { api } = invocation(command);
      end(await apply(api, output, paths, options));
    });
  program
    .command('preview')
    .description('what a sign-in would get')
    .addOption(ofTenant())
    .option('--application <id>', 'whom the token would be for')
    .option('--client <id>', 'the client application that asks for it')
    .option('--extension <id>', 'the custom authentication extension that calls')
    .option('--protocol <name>', 'in Entra’s words, such as OAUTH2.0, for conditions that ask for it')
    .option(
      '--user <property=value>',
      'a property of the person; may be given several times',
      (text: string, before: string[] = []) => [...before, text],
    )
    .addOption(new Option('--service', 'a service signs in: there is no person').conflicts('user'))
    .addOption(
      new Option('--event <file>', 'an event as Entra sends it, instead of the above').conflicts([
        'application',
        'client',
        'extension',
        'protocol',
        'user',
        'service',
      ]),
    )
    .option('--mapping <name>', 'a mapping; by default the one in force for the application')
    .option('--revision <version>', 'of --mapping: published, draft or the number of a revision')
    .addOption(
      new Option('--file <file>', 'a document that is not saved, as if it were in force').conflicts(['mapping', 'revision']),
    )
    .option('--no-values', 'hide values')
    .action(async (options: PreviewOptions, command: Command) => {
      const { api } = invocation(command);
      end(await preview(api, output, options));
    });
  program
    .command('diff')
    .description('compare two versions of a mapping by what they mean')
    .argument('<name>')
    .addOption(ofTenant())
    .option('--from <version>', 'published (the default), draft or the number of a revision')
    .option('--to <version>', 'draft (the default), published or the number of a revision')
    .action(async (name: string, options: { tenant: string; from?: string; to?: string }, command: Command) => {
      const { api } = invocation(command);
      end(await diff(api, output, { tenant: options.tenant, name }, options));
    });
  program
    .command('publish')
    .description('put the draft of a mapping in force')
    .argument('<name>')
    .addOption(ofTenant())
    .addOption(comment())
    .addOption(ifMatch())
    .action(async (name: string, { tenant: alias, ...options }: PublishOptions & { tenant: string }, command: Command) =>
      end(await publish(invocation(command).api, output, { tenant: alias, name }, options)),
    );
  program
    .command('rollback')
    .description('put an earlier revision of a mapping in force again')
    .argument('<name>')
    .requiredOption('--to <number>', 'the number of the revision')
    .addOption(ofTenant())
    .addOption(comment())
    .addOption(ifMatch())
    .action(async (name: string, options: PublishOptions & { tenant: string; to: string }, command: Command) => {
      const { tenant: alias, to, ...rest } = options;
      if (!/^[1-9]\d{0,8}$/.test(to)) throw new CommandError(exitCodes.usage, '--to must be the number of a revision');
      end(await rollBack(invocation(command).api, output, { tenant: alias, name }, Number(to), rest));
    });
  program
    .command('export')
    .description('write the mappings in force, as apply takes them')
    .addOption(tenant())
    .option('--output <folder>', 'one YAML file each; standard output without')
    .option('--drafts', 'drafts, where there are some')
    .action(async (options: ExportOptions, command: Command) => {
      const { api } = invocation(command);
      end(await exportMappings(api, output, options));
    });
  program
    .command('doctor')
    .description('look at all that sign-ins depend on')
    .action(async (_options: object, command: Command) => {
      const { api } = invocation(command);
      end(await doctor(api, output));
    });
  program
    .command('entra')
    .description('the registration in Entra')
    .command('plan')
    .description('print the requests to Microsoft Graph that register an application’s claims; nothing is sent')
    .requiredOption('--application <id>', 'the application whose tokens get the claims')
    .requiredOption('--endpoint <url>', 'where Entra reaches the service, such as https://claims.contoso.com')
    .addOption(ofTenant())
    .option('--saml', 'for SAML tokens')
    .action(async (options: EntraPlanOptions, command: Command) => {
      const { api } = invocation(command);
      end(await entraPlan(api, output, options));
    });
  return program;
}
