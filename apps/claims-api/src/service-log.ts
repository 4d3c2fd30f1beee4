import type { Logger } from '#observability';

/** The log of this process. A class, so that it can be injected. */
export abstract class ServiceLog {
  abstract readonly log: Logger;
}
