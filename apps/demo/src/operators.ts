const admin = { tenantId: '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10', resource: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f202' };

/** The clients of docker/seeds/entra.yaml that the admin API lets in. */
export const operators = {
  /** May read. */
  operator: { ...admin, clientId: 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f01', clientSecret: 'demo-client-secret' },
  /** Has every role. */
  administrator: { ...admin, clientId: 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f02', clientSecret: 'demo-administrator-secret' },
} as const;
