import type { ValidationBody } from '../contract/mapping.js';
export abstract class MappingCheck {
  abstract validate(document: Readonly<Record<string, unknown>>): Promise<ValidationBody>;
}
