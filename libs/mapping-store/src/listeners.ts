/** Who wants to hear of changes. */
export class Listeners {
  private readonly all = new Set<() => void>();

  add(listener: () => void): Disposable {
    // Of its own, so that the same function can listen twice.
    const entry = (): void => listener();
    this.all.add(entry);
    return { [Symbol.dispose]: () => void this.all.delete(entry) };
  }

  tell(): void {
    for (const each of this.all) each();
  }
}
