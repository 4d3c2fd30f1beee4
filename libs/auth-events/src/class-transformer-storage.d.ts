/** What class-transformer 0.5.1 knows of its decorators; it does not export it, and it has no types where it is. */
declare module 'class-transformer/cjs/storage.js' {
  import type { ExposeMetadata, TransformMetadata, TypeMetadata } from 'class-transformer/types/interfaces/index.js';

  export const defaultMetadataStorage: {
    getExposedMetadatas(target: object): ExposeMetadata[];
    getExcludedMetadatas(target: object): unknown[];
    getStrategy(target: object): 'excludeAll' | 'exposeAll' | 'none';
    findTypeMetadata(target: object, property: string): TypeMetadata | undefined;
    findTransformMetadatas(target: object, property: string, type: number): TransformMetadata[];
  };
}
