// The task taken literally, on the defaults of what it names: Nest on Express, passport-azure-ad's BearerStrategy as it comes,
// class-validator by the ValidationPipe, ldapts' client and a pool of pg.
import 'reflect-metadata';
import type { Server } from 'node:http';
import {
  Body,
  Controller,
  HttpCode,
  Injectable,
  Module,
  Post,
  UseGuards,
  ValidationPipe,
  type OnModuleInit,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, IsString, IsUUID, ValidateNested } from 'class-validator';
import { Client, escapeFilter } from 'ldapts';
import BearerStrategy from 'passport-azure-ad/lib/bearerstrategy.js';
import pg from 'pg';
import { answerOf, claimsOf } from './claims.js';
import { attributes, readSettings, statement, tellReady } from './settings.js';

const settings = readSettings();

class ClientDto {
  @IsString() @IsOptional() ip?: string;
  @IsString() @IsOptional() locale?: string;
  @IsString() @IsOptional() market?: string;
}

class ServicePrincipalDto {
  @IsUUID() id!: string;
  @IsUUID() appId!: string;
  @IsString() appDisplayName!: string;
  @IsString() displayName!: string;
}

class UserDto {
  @IsString() id!: string;
  @IsString() @IsOptional() userPrincipalName?: string;
  @IsString() @IsOptional() userType?: string;
  @IsString() @IsOptional() displayName?: string;
  @IsString() @IsOptional() givenName?: string;
  @IsString() @IsOptional() surname?: string;
  @IsString() @IsOptional() mail?: string;
  @IsString() @IsOptional() companyName?: string;
  @IsString() @IsOptional() createdDateTime?: string;
  @IsString() @IsOptional() preferredLanguage?: string;
  @IsString() @IsOptional() onPremisesSamAccountName?: string;
  @IsString() onPremisesUserPrincipalName!: string;
}

class AuthenticationContextDto {
  @IsUUID() correlationId!: string;
  @ValidateNested() @Type(() => ClientDto) client!: ClientDto;
  @IsString() protocol!: string;
  @ValidateNested() @Type(() => ServicePrincipalDto) clientServicePrincipal!: ServicePrincipalDto;
  @ValidateNested() @Type(() => ServicePrincipalDto) resourceServicePrincipal!: ServicePrincipalDto;
  @ValidateNested() @Type(() => UserDto) user!: UserDto;
}

class DataDto {
  @IsString() '@odata.type'!: string;
  @IsUUID() tenantId!: string;
  @IsUUID() authenticationEventListenerId!: string;
  @IsUUID() customAuthenticationExtensionId!: string;
  @IsObject() @ValidateNested() @Type(() => AuthenticationContextDto) authenticationContext!: AuthenticationContextDto;
}

class TokenIssuanceStartDto {
  @IsString() type!: string;
  @IsString() source!: string;
  @IsObject() @ValidateNested() @Type(() => DataDto) data!: DataDto;
}

@Injectable()
class EntraStrategy extends PassportStrategy(BearerStrategy, 'entra') {
  constructor() {
    super({
      identityMetadata: settings.metadata,
      clientID: settings.audience,
      issuer: settings.issuer,
      validateIssuer: true,
      passReqToCallback: false,
      loggingLevel: 'error',
      loggingNoPII: true,
    });
  }

  validate(payload: object): object {
    return payload;
  }
}

@Injectable()
class ClaimsService implements OnModuleInit {
  private readonly client = new Client({ url: settings.directory.url });
  private readonly pool = new pg.Pool(settings.database);

  async onModuleInit(): Promise<void> {
    await this.client.bind(settings.directory.dn, settings.directory.password);
  }

  async claims(upn: string): Promise<object> {
    const [{ searchEntries }, { rows }] = await Promise.all([
      this.client.search(settings.directory.base, {
        scope: 'sub',
        filter: escapeFilter`(userPrincipalName=${upn})`,
        attributes,
        sizeLimit: 2,
      }),
      this.pool.query<{ tier: string; products: string[] }>(statement, [upn]),
    ]);
    return answerOf(claimsOf(searchEntries[0]!, rows[0]!));
  }
}

@Controller('api')
class ClaimsController {
  constructor(private readonly service: ClaimsService) {}

  @Post('onTokenIssuanceStart')
  @HttpCode(200)
  @UseGuards(AuthGuard('entra'))
  claims(@Body() event: TokenIssuanceStartDto): Promise<object> {
    return this.service.claims(event.data.authenticationContext.user.onPremisesUserPrincipalName);
  }
}

@Module({ imports: [PassportModule], controllers: [ClaimsController], providers: [EntraStrategy, ClaimsService] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error'] });
app.useGlobalPipes(new ValidationPipe());
await app.listen(0, '127.0.0.1');
const server = app.getHttpServer() as Server;
server.keepAliveTimeout = 75_000;
tellReady(server);
