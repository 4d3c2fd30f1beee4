import { Controller, Get } from '@nestjs/common';
import type { z } from 'zod';
import { registration, registrationQuery, type RegistrationBody } from '../contract/registration.js';
import { AdminRoute, CheckedQuery } from '../http/admin-route.js';
import { AdminTag } from '../http/route-marks.js';
import { Registrations } from './registrations.js';

@AdminTag('registration')
@Controller('admin/v1/registration')
export class RegistrationController {
  constructor(private readonly registrations: Registrations) {}

  @Get()
  @AdminRoute('Claims.Read', {
    summary: 'What the registration of an application in Entra must agree with.',
    description:
      'The claims of all mappings in force that serve the application, spelled as they are answered, and what the extension must say. Nothing is asked of Entra.',
    answer: registration,
    refusals: [404, 409, 503],
  })
  read(@CheckedQuery(registrationQuery) query: z.output<typeof registrationQuery>): RegistrationBody {
    return this.registrations.of(query.tenant, query.application);
  }
}
