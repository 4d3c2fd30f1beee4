import type { Actor } from '#claims';
import type { z } from 'zod';
import type { CachesBody, ErasureBody, eraseRequest } from '../contract/source.js';
export abstract class SourceCaches {
  abstract state(): CachesBody;
  abstract erase(request: z.output<typeof eraseRequest>, actor: Actor): Promise<ErasureBody>;
}
