// Lets Node run the project's TypeScript unbuilt: with --import, './x.js' means './x.ts' where only that is there.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!/^\.{1,2}\/.*\.js$/.test(specifier)) throw error;
      return next(`${specifier.slice(0, -2)}ts`, context);
    }
  },
});
