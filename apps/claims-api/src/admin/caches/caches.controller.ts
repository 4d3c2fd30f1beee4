import type { Actor } from '#claims';
import { Controller, Get, Post } from '@nestjs/common';
import type { z } from 'zod';
import { cacheState, eraseRequest, erasure, type CachesBody, type ErasureBody } from '../contract/source.js';
import { AdminRoute, CheckedBody } from '../http/admin-route.js';
import { AdminTag } from '../http/route-marks.js';
import { By } from '../http/caller.js';
import { SourceCaches } from './source-caches.js';

@AdminTag('caches')
@Controller('admin/v1/caches')
export class CachesController {
  constructor(private readonly caches: SourceCaches) {}

  @Get()
  @AdminRoute('Claims.Read', { summary: 'How much this replica keeps.', answer: cacheState })
  state(): CachesBody {
    return this.caches.state();
  }

  @Post('erase')
  @AdminRoute('Claims.Publish', {
    summary: 'Erase what this replica keeps of one person.',
    description:
      'Cached, last known and handed-over answers that were found by one of the identifiers or hold one of them, and those that were found by what these answers hold. Every replica keeps its own: ask each of them.',
    answer: erasure,
    idempotent: true,
    refusals: [413, 415, 503],
  })
  erase(@CheckedBody(eraseRequest) request: z.output<typeof eraseRequest>, @By() actor: Actor): Promise<ErasureBody> {
    return this.caches.erase(request, actor);
  }
}
