/**
 * Refuses what would be passed over: a typing error, or the word of another client for the same thing.
 *
 * @param words what else it may be called, by what it is called here
 * @throws TypeError that names the member and those there are
 */
export function checkMembers(
  what: string,
  given: object,
  { known, words = {} }: { readonly known: readonly string[]; readonly words?: Readonly<Record<string, string>> },
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const word = Object.hasOwn(words, name) ? words[name] : undefined
    const hint = word === undefined ? `there are ${known.join(', ')}` : `here it is called ${word}`
    throw new TypeError(`${what} has no member ${name}; ${hint}`)
  }
}
