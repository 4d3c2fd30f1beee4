/**
 * Capital letters as small ones, but only those that are the capital of that small letter alone: the Kelvin sign has the small letter
 * k, and must not find the person whose name has a K.
 */
export function foldCase(text: string): string {
  return Array.from(text, (character) => {
    const small = character.toLowerCase();
    return small.toUpperCase() === character ? small : character;
  }).join('');
}
