/** An error of Entra's sign-in log, where an authentication event failed. The person sees AADSTS1100001 or AADSTS1100000 for any of them. */
export interface EntraError {
  readonly code: number;
  readonly name: string;
  readonly cause: string;
  readonly remedy: string;
  /** Where it is put right: in the API that answers, in the registration of extension, listener and applications, or by Microsoft. */
  readonly fixedBy: 'api' | 'registration' | 'entra';
}

/**
 * Source of codes and names: Microsoft, "Troubleshoot your custom authentication extension"
 * (learn.microsoft.com/entra/identity-platform/custom-extension-troubleshoot), which does not list 1003013; causes in our words, remedies
 * ours.
 */
export const entraErrors: readonly EntraError[] = [
  {
    code: 1003000,
    name: 'EventHandlerUnexpectedError',
    cause: 'Entra failed while it processed the event handler.',
    remedy: 'Try again; if it stays, open a support case with the correlation id.',
    fixedBy: 'entra',
  },
  {
    code: 1003001,
    name: 'CustomExtensionUnexpectedError',
    cause: 'Entra failed while it called the extension.',
    remedy: 'Try again; if it stays, open a support case with the correlation id.',
    fixedBy: 'entra',
  },
  {
    code: 1003002,
    name: 'CustomExtensionInvalidHTTPStatus',
    cause: 'The API answered with a status other than 200.',
    remedy: "Look up the correlation id in the API's log: the problem code there names the reason.",
    fixedBy: 'api',
  },
  {
    code: 1003003,
    name: 'CustomExtensionInvalidResponseBody',
    cause: 'The answer is missing or malformed, or has a wrong schema or @odata.type.',
    remedy: 'Answer with the documented body; let a library write it.',
    fixedBy: 'api',
  },
  {
    code: 1003004,
    name: 'CustomExtensionThrottlingError',
    cause: 'Entra makes no more calls because there were too many.',
    remedy: 'Find the application that asks for so many tokens; spread or reduce its sign-ins.',
    fixedBy: 'entra',
  },
  {
    code: 1003005,
    name: 'CustomExtensionTimedOut',
    cause: 'No answer came within the timeout of the extension; Microsoft also lists an access token that is not valid.',
    remedy: "Compare the API's time for the event with timeoutInMilliseconds; keep a replica warm; check audience and issuer.",
    fixedBy: 'api',
  },
  {
    code: 1003006,
    name: 'CustomExtensionInvalidResponseContentType',
    cause: 'The content type of the answer is not application/json.',
    remedy: 'Answer with application/json, also behind a gateway that has error pages of its own.',
    fixedBy: 'api',
  },
  {
    code: 1003007,
    name: 'CustomExtensionNullClaimsResponse',
    cause: 'The claims of the answer are null.',
    remedy: 'Answer with an empty object where there are no claims.',
    fixedBy: 'api',
  },
  {
    code: 1003008,
    name: 'CustomExtensionInvalidResponseApiSchemaVersion',
    cause: 'The apiSchemaVersion of the answer is not supported; it belonged to a preview.',
    remedy: 'Leave apiSchemaVersion out.',
    fixedBy: 'api',
  },
  {
    code: 1003009,
    name: 'CustomExtensionEmptyResponse',
    cause: 'The answer is empty.',
    remedy: 'Answer with one action, also where there is nothing to add.',
    fixedBy: 'api',
  },
  {
    code: 1003010,
    name: 'CustomExtensionInvalidNumberOfActions',
    cause: 'The answer has no action, or more than the event takes.',
    remedy: 'Answer with exactly one action.',
    fixedBy: 'api',
  },
  {
    code: 1003011,
    name: 'CustomExtensionNotFound',
    cause: 'The listener names an extension that does not exist.',
    remedy: 'Point the listener at an extension of the tenant, or delete it.',
    fixedBy: 'registration',
  },
  {
    code: 1003012,
    name: 'CustomExtensionInvalidActionType',
    cause: 'The type of the action does not belong to the event.',
    remedy: "Answer with an action of this event; see whether the extension's address is that of another event.",
    fixedBy: 'api',
  },
  {
    code: 1003014,
    name: 'CustomExtensionIncorrectResourceIdFormat',
    cause: "The API's application has no identifier URI of the form api://{host}/{application id}.",
    remedy: 'Set identifierUris of the application registration.',
    fixedBy: 'registration',
  },
  {
    code: 1003015,
    name: 'CustomExtensionDomainNameDoesNotMatch',
    cause: 'The host of the target address is not the host of the identifier URI.',
    remedy: 'Make both the same; change the identifier URI first, then the target address.',
    fixedBy: 'registration',
  },
  {
    code: 1003016,
    name: 'CustomExtensionResourceServicePrincipalNotFound',
    cause: "The API's application has no service principal in the tenant.",
    remedy: 'Create the service principal of the application.',
    fixedBy: 'registration',
  },
  {
    code: 1003017,
    name: 'CustomExtensionClientServicePrincipalNotFound',
    cause: 'The tenant lacks the service principal of Azure Active Directory Authentication Extensions.',
    remedy: 'Create the service principal of 99045fe1-7639-4a75-9d4a-577b6ca3810f.',
    fixedBy: 'registration',
  },
  {
    code: 1003018,
    name: 'CustomExtensionClientServiceDisabled',
    cause: 'The service principal of Azure Active Directory Authentication Extensions is disabled.',
    remedy: 'Enable it for sign-in.',
    fixedBy: 'registration',
  },
  {
    code: 1003019,
    name: 'CustomExtensionResourceServicePrincipalDisabled',
    cause: "The service principal of the API's application is disabled.",
    remedy: 'Enable it for sign-in.',
    fixedBy: 'registration',
  },
  {
    code: 1003020,
    name: 'CustomExtensionIncorrectTargetUrlFormat',
    cause: 'The target address is not https, malformed, or cannot be resolved.',
    remedy: 'Register a public https address.',
    fixedBy: 'registration',
  },
  {
    code: 1003021,
    name: 'CustomExtensionPermissionNotGrantedToServicePrincipal',
    cause: "The API's service principal was not granted CustomAuthenticationExtension.Receive.Payload.",
    remedy: 'Grant admin consent to the permission.',
    fixedBy: 'registration',
  },
  {
    code: 1003022,
    name: 'CustomExtensionMsGraphServicePrincipalDisabledOrNotFound',
    cause: 'The service principal of Microsoft Graph is disabled or missing in the tenant.',
    remedy: 'Enable or create it.',
    fixedBy: 'registration',
  },
  {
    code: 1003023,
    name: 'CustomExtensionBlocked',
    cause: 'Entra blocks this endpoint.',
    remedy: 'Open a support case.',
    fixedBy: 'entra',
  },
  {
    code: 1003024,
    name: 'CustomExtensionResponseSizeExceeded',
    cause: 'The answer is too large.',
    remedy: 'Send less.',
    fixedBy: 'api',
  },
  {
    code: 1003025,
    name: 'CustomExtensionResponseClaimsSizeExceeded',
    cause: 'Names and values of the claims together exceed 3 KB.',
    remedy: 'Send fewer or shorter claims, or say which may be dropped.',
    fixedBy: 'api',
  },
  {
    code: 1003026,
    name: 'CustomExtensionNullOrEmptyClaimKeyNotSupported',
    cause: 'A claim has no name.',
    remedy: 'Give each claim a name.',
    fixedBy: 'api',
  },
  {
    code: 1003027,
    name: 'CustomExtensionConnectionError',
    cause: 'Entra could not connect to the API.',
    remedy: 'Check the DNS name, the certificate and its chain, and what is in front of the API.',
    fixedBy: 'api',
  },
];
