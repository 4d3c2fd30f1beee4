import { Module } from '@nestjs/common';
import { StaticConnector } from './static-connector.js';

@Module({ providers: [StaticConnector], exports: [StaticConnector] })
export class StaticConnectorModule {}
