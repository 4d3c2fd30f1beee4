import type { Source } from '#claims';
import { Injectable } from '@nestjs/common';
import { Connector, type ConnectorDependencies, type SourceDescription } from '../connector.js';
import { ldapConfig, type LdapConfig } from './ldap-config.js';
import { LdapSource } from './ldap-source.js';
import { RefusedAccounts } from './refused-accounts.js';
import { servicesOf } from './server-discovery.js';

/** LDAP version 3 directories (RFC 4511): Active Directory, OpenLDAP and others. */
@Injectable()
export class LdapConnector extends Connector<LdapConfig> {
  override readonly type = 'ldap';
  override readonly config = ldapConfig;
  private readonly accounts = new RefusedAccounts();

  override create(name: string, config: LdapConfig, dependencies: ConnectorDependencies): Source {
    return new LdapSource(name, config, dependencies, this.accounts);
  }

  override describe({ servers, discovery }: LdapConfig): SourceDescription {
    const clear = [...servers, ...(discovery ? [discovery] : [])].some(({ security }) => security === 'none');
    return {
      hosts: discovery ? servicesOf(discovery) : servers.map(({ url }) => url),
      transport: clear ? 'clearText' : 'encrypted',
    };
  }
}
