/** The part of passport-azure-ad 4.3.5 that is used; the package has no types of its own. */
declare module 'passport-azure-ad/lib/bearerstrategy.js' {
  type Done = (error: unknown, user?: unknown, info?: unknown) => void;

  class BearerStrategy {
    constructor(options: object, verify: (token: never, done: Done) => void);
    name: string;
    protected _verify: (token: unknown, done: Done) => void;
    authenticate(request: object, options?: object): void;
    loadMetadata(parameters: object, next: (error: unknown, metadata?: object) => void): void;
    jwtVerify(request: object, token: string, metadata: object, options: object, done: Done): void;
    /** The three below are set by passport for each request. */
    success(user: unknown, info?: unknown): void;
    fail(challenge: unknown, status?: number): void;
    error(error: unknown): void;
  }
  export = BearerStrategy;
}
