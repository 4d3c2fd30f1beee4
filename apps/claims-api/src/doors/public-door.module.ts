import { AuthEventsModule, type TokenIssuanceStartHandler } from '#auth-events';
import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PublicHealthController } from '../health/public-health.controller.js';
import { Readiness } from '../health/readiness.js';
