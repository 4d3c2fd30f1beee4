/** The part of autocannon 9.0.0 that is used; the package has no types of its own. */
declare module 'autocannon' {
  interface Client {
    setRequests(
      requests: readonly {
        readonly method: string;
        readonly path: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: string;
        readonly onResponse: (status: number, body: string) => void;
      }[],
    ): void;
    on(event: 'response', listener: (status: number, bytes: number, milliseconds: number) => void): void;
  }

  interface Result {
    /** Connections that failed, timeouts included. */
    readonly errors: number;
  }

  function autocannon(options: {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Requests a second, of all connections together. */
    readonly overallRate?: number;
    /** Milliseconds. */
    readonly sampleInt: number;
    /** Seconds. */
    readonly timeout: number;
    readonly setupClient: (client: Client) => void;
  }): Promise<Result>;
  export = autocannon;
}
