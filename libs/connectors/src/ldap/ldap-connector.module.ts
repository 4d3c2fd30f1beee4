import { Module } from '@nestjs/common';
import { LdapConnector } from './ldap-connector.js';

@Module({ providers: [LdapConnector], exports: [LdapConnector] })
export class LdapConnectorModule {}
