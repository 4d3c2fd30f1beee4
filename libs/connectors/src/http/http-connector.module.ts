import { Module } from '@nestjs/common';
import { HttpConnector } from './http-connector.js';

@Module({ providers: [HttpConnector], exports: [HttpConnector] })
export class HttpConnectorModule {}
