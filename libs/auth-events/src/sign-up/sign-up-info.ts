import type { Scalar } from '../wire/scalar.js';
import type { UserSignUpInfoDto } from './sign-up-info.dto.js';

/** One way in which a person signs in. The ids are values of the person: they never belong in a log. */
export interface Identity {
  /** emailAddress, userName, federated, …; others may come. */
  readonly signInType?: string;
  readonly issuer?: string;
  readonly issuerAssignedId?: string;
}

/** An attribute that the person was asked for. */
export interface SignUpAttribute {
  /** Absent where nothing was filled in. Several choices are one text with commas. */
  readonly value?: Scalar;
  /** microsoft.graph.stringDirectoryAttributeValue, …int64DirectoryAttributeValue or …booleanDirectoryAttributeValue so far. */
  readonly odataType?: string;
  /** builtIn or directorySchemaExtension so far. */
  readonly attributeType?: string;
}

export interface UserSignUpInfo {
  /** By name: `city`, or `extension_<application id without hyphens>_<name>`. */
  readonly attributes: ReadonlyMap<string, SignUpAttribute>;
  readonly identities: readonly Identity[];
}

export function userSignUpInfoOf({ attributes = new Map(), identities = [] }: UserSignUpInfoDto = {}): UserSignUpInfo {
  return { attributes, identities };
}
