import { Module } from '@nestjs/common';
import { PostgresConnector } from './postgres-connector.js';

@Module({ providers: [PostgresConnector], exports: [PostgresConnector] })
export class PostgresConnectorModule {}
