import { mappingJsonSchema } from '#claims';
import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import { AdminApiDocument } from './admin-api-document.js';
import { AdminRoute } from './http/admin-route.js';
import { AdminTag } from './http/route-marks.js';

const jsonDocument = z.record(z.string(), z.unknown());

@AdminTag('documents')
@Controller('admin/v1')
export class DocumentsController {
  constructor(private readonly document: AdminApiDocument) {}

  @Get('openapi.json')
  @AdminRoute('Claims.Read', { summary: 'This description (OpenAPI 3.1).', answer: jsonDocument })
  openApi(): Promise<object> {
    return this.document.content();
  }

  @Get('schemas/mapping')
  @AdminRoute('Claims.Read', { summary: 'The JSON Schema of the mapping document (draft 2020-12).', answer: jsonDocument })
  mappingSchema(): object {
    return mappingJsonSchema();
  }
}
