export { FakeSource, type FakeLookup } from './claims/fake-source.js';
export { startDirectory, type DirectoryOptions, type RunningDirectory } from './directory/server.js';
export type { SearchRequest } from './directory/messages.js';
export { LdifError, parseLdif, printLdif, type LdifAttribute, type LdifRecord } from './directory/ldif.js';
export type { Describe } from './directory/needs-program.js';
export { describeWithSamba, sambaAvailable, startSamba, type RunningSamba, type SambaOptions } from './directory/samba.js';
export { describeWithSlapd, slapdAvailable, startSlapd, type RunningSlapd, type SlapdOptions } from './directory/slapd.js';
export {
  startHttpServer,
  type HttpAnswer,
  type HttpResponder,
  type HttpServerOptions,
  type ReceivedRequest,
  type RunningHttpServer,
} from './http/http-server.js';
export { startDnsServer, type DnsService, type DnsZone, type RunningDnsServer } from './network/dns-server.js';
export { freePort } from './network/free-port.js';
export { startTcpProxy, type Spoiling, type TcpProxy } from './network/tcp-proxy.js';
export { startPostgres, type PostgresOptions, type RunningPostgres } from './postgres/postgres.js';
export {
  fatal,
  letIn,
  serverMessage,
  startScriptedPostgres,
  type PostgresScript,
  type ScriptedPostgres,
} from './postgres/scripted-postgres.js';
export { StartError, type StartErrorCode } from './process/start-error.js';
export { selfSigned } from './directory/self-signed.js';
