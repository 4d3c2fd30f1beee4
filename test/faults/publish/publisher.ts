// A process that changes one document for ever and says after each change how far it is, until it is killed.
import { flushCompileCache } from 'node:module';
import { Secrets, type MappingRecord, type Publication } from '#claims';
import { openPostgresMappings, type PostgresStoreOptions } from '#mapping-store';

const { options, password, name } = JSON.parse(process.argv[2]!) as {
  readonly options: PostgresStoreOptions;
  readonly password: string;
  readonly name: string;
};

class Password extends Secrets {
  override read(): Promise<string> {
    return Promise.resolve(password);
  }
}

// Whoever is killed keeps nothing for the next one.
flushCompileCache();
const repository = await openPostgresMappings(options, new Password());
const key = { tenant: 'contoso', name };
const actor = { id: `process ${process.pid}` };
const allow = () => Promise.resolve([]);

function changed(result: Publication): MappingRecord {
  if (result.kind !== 'changed') throw new Error(JSON.stringify(result));
  process.stdout.write(`${result.record.version}\n`);
  return result.record;
}

const present = await repository.read(key);
let version = present.kind === 'found' ? present.record.version : 0;
for (let round = 0; ; round++) {
  const document = { name, tenant: 'contoso', claims: { round: { value: `${process.pid} ${round}` } } };
  ({ version } = changed(await repository.saveDraft(key, document, version, actor)));
  ({ version } = changed(await repository.publish(key, version, `round ${round}`, actor, allow)));
  ({ version } = changed(await repository.rollBack(key, 1, version, `round ${round}`, actor, allow)));
  ({ version } = changed(await repository.delete(key, version, actor, allow)));
  ({ version } = changed(await repository.restore(key, version, actor, allow)));
}
