import type { Actor } from '#claims';
import type { ConnectionTestBody, SourceBody } from '../contract/source.js';
export abstract class SourceCatalogue {
  abstract list(): readonly SourceBody[];
  abstract read(name: string): SourceBody;
  abstract test(name: string, actor: Actor): Promise<ConnectionTestBody>;
}
