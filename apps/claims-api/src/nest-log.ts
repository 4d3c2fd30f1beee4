import type { Logger } from '#observability';
import type { LoggerService } from '@nestjs/common';

/** Nest's own messages, in our log. What it tells of routes and modules at start is left to the debug level. */
export class NestLog implements LoggerService {
  constructor(private readonly target: Logger) {}

  log(message: unknown): void {
    this.target.debug({ nest: String(message) }, 'nest');
  }

  warn(message: unknown): void {
    this.target.warn({ nest: String(message) }, 'nest');
  }

  error(message: unknown): void {
    this.target.error({ nest: String(message) }, 'nest');
  }

  fatal(message: unknown): void {
    this.target.fatal({ nest: String(message) }, 'nest');
  }
}
