import type { Actor } from '#claims';
import { Controller, Get, Post } from '@nestjs/common';
import type { z } from 'zod';
import { connectionTest, source, sourceKey, sourceList, type ConnectionTestBody, type SourceBody } from '../contract/source.js';
import { AdminRoute, CheckedPath } from '../http/admin-route.js';
import { AdminTag } from '../http/route-marks.js';
import { By } from '../http/caller.js';
import { SourceCatalogue } from './source-catalogue.js';

type Key = z.output<typeof sourceKey>;

@AdminTag('sources')
@Controller('admin/v1/sources')
export class SourcesController {
  constructor(private readonly catalogue: SourceCatalogue) {}

  @Get()
  @AdminRoute('Claims.Read', { summary: 'List the sources with their lookups. Secrets are never among it.', answer: sourceList })
  list(): z.output<typeof sourceList> {
    return { items: [...this.catalogue.list()] };
  }

  @Get(':source')
  @AdminRoute('Claims.Read', { summary: 'Read one source.', answer: source, refusals: [404] })
  read(@CheckedPath(sourceKey) key: Key): SourceBody {
    return this.catalogue.read(key.source);
  }

  @Post(':source/test')
  @AdminRoute('Claims.Preview', {
    summary: 'Test the connection of a source.',
    description:
      'Whether it can be reached and accepts the service’s credentials, which are not offered again where they were refused. Sign-ins do not notice.',
    answer: connectionTest,
    refusals: [404, 503],
  })
  test(@CheckedPath(sourceKey) key: Key, @By() actor: Actor): Promise<ConnectionTestBody> {
    return this.catalogue.test(key.source, actor);
  }
}
