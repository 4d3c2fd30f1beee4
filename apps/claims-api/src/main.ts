import { enableCompileCache, setSourceMapsSupport } from 'node:module';
import { fileURLToPath } from 'node:url';

// Before anything else is loaded. The cache lies beside the packages: who can write there can write the code as well, which is not
// true of the system's folder for temporary files, Node's own choice. Where it cannot be written, the service starts without.
enableCompileCache(fileURLToPath(new URL('../../../../node_modules/.cache/claimbridge', import.meta.url)));
setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });

const { runService } = await import('./run-service.js');
await runService();
