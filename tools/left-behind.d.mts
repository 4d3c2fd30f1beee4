export function markRun(): void;
export function endLeftBehind(): Promise<readonly string[]>;
