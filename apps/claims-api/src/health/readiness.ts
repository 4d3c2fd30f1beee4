/**
 * Whether this replica takes sign-ins: mappings loaded, keys held, not draining. A source or a store never counts: it would take
 * all replicas out together.
 */
export class Readiness {
  private draining = false;

  constructor(private readonly conditions: { readonly mappingsLoaded: () => boolean; readonly keysHeld: () => boolean }) {}

  /** From now on this replica asks the load balancer to leave it alone. */
  drain(): void {
    this.draining = true;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  get isReady(): boolean {
    return !this.draining && this.conditions.mappingsLoaded() && this.conditions.keysHeld();
  }
}
