const resolveTypeScript = `
import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!/^[.]{1,2}[/].*[.]js$/.test(specifier)) throw error;
      return next(specifier.slice(0, -2) + 'ts', context);
    }
  },
});`;

/**
 * The arguments with which Node (24 and later) runs a TypeScript file of this library as a process of its own, unbuilt. The file and
 * what it imports must have no syntax that is more than types: no parameter properties, no decorators.
 */
export const nodeArgsFor = (file: string): readonly string[] => [
  '--conditions=claimbridge-source',
  '--import',
  `data:text/javascript,${encodeURIComponent(resolveTypeScript)}`,
  file,
];
