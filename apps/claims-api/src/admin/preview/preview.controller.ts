import type { Actor } from '#claims';
import { Controller, Post } from '@nestjs/common';
import { preview, previewRequest, type PreviewBody, type PreviewRequest } from '../contract/preview.js';
import { AdminRoute, CheckedBody } from '../http/admin-route.js';
import { AdminTag } from '../http/route-marks.js';
import { By, Has } from '../http/caller.js';
import { Previews } from './previews.js';

@AdminTag('preview')
@Controller('admin/v1/preview')
export class PreviewController {
  constructor(private readonly previews: Previews) {}

  @Post()
  @AdminRoute('Claims.Preview', {
    summary: 'What would a sign-in get?',
    description:
      'Runs the path of a sign-in with a version of a mapping, and explains it. It reads caches and leaves them as they are; sources are asked through a small share of their own. Values are hidden from who lacks Claims.ReadValues. Every preview is audited.',
    answer: preview,
    refusals: [404, 409, 413, 415, 422, 503],
  })
  preview(
    @CheckedBody(previewRequest) request: PreviewRequest,
    @By() actor: Actor,
    @Has('Claims.ReadValues') mayReadValues: boolean,
  ): Promise<PreviewBody> {
    return this.previews.run(request, actor, mayReadValues);
  }
}
