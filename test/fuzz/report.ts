/** Told after each tenth. */
export type Progress = (done: number, memory: Memory) => void;

/** In bytes, after a garbage collection where it can be forced. */
export interface Memory {
  readonly resident: number;
  readonly heap: number;
}

export function memory(): Memory {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { resident: rss, heap: heapUsed };
}

/** Something that must never be, with all that is needed to see it again. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function violation(target: string, seed: number, index: number, body: Uint8Array, fault: string): Violation {
  const input =
    body.length > 4_096
      ? `${Buffer.from(body.subarray(0, 4_096)).toString('base64')}… (${body.length} bytes)`
      : Buffer.from(body).toString('base64');
  return new Violation(`${target} ${fault}\n  seed ${seed}, input ${index}, in base64: ${input}`);
}

/** How much more a part may hold at the end than after the second tenth, when all caches are filled. */
const tolerance = { ratio: 1.25, bytes: 32 * 1_048_576 };

/** What is said about memory that grew, `undefined` where it is flat. */
export function growth(tenths: readonly Memory[]): string | undefined {
  const [settled, last] = [tenths[1], tenths.at(-1)];
  if (!settled || !last) return undefined;
  for (const part of ['resident', 'heap'] as const)
    if (last[part] > settled[part] * tolerance.ratio + tolerance.bytes)
      return `${part} memory grew from ${settled[part]} to ${last[part]} bytes`;
  return undefined;
}
