import type { Actor } from '#claims';
import type { PreviewBody, PreviewRequest } from '../contract/preview.js';
export abstract class Previews {
  abstract run(request: PreviewRequest, actor: Actor, mayReadValues: boolean): Promise<PreviewBody>;
}
