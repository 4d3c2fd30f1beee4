import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

/**
 * The OpenAPI document of the admin API. It is made when it is first asked for, and what makes it is loaded then: a service that
 * answers sign-ins does not need it.
 */
export class AdminApiDocument {
  private make: (() => Promise<OpenAPIObject>) | undefined;
  private made: Promise<OpenAPIObject> | undefined;

  /** To be called once, by whoever made the application that has the routes of this module. */
  describes(app: INestApplication, module: NewableFunction): void {
    this.make = async () => {
      const { adminApiDocument } = await import('./openapi.js');
      return adminApiDocument(app, module);
    };
  }

  /** Rejects where it cannot be made; the next call tries again. */
  content(): Promise<OpenAPIObject> {
    if (!this.make) throw new Error('AdminApiDocument: nobody said which application it describes');
    return (this.made ??= this.make().catch((error: unknown) => {
      this.made = undefined;
      throw error;
    }));
  }
}
