import { encodeBytes } from '@sluice/protocol/webhooks'

/** A JWK set (RFC 7517); its Ed25519 keys are used, others are passed over. */
export type JsonWebKeySet = {
  readonly keys: readonly { readonly kty?: string; readonly crv?: string; readonly x?: string }[]
}

/** @param again what is known did not fit: ask once more, if that is not too soon */
export type LoadSecrets = (again: boolean) => Promise<readonly string[]>

export async function toSecrets(
  secrets: string | readonly string[] | JsonWebKeySet | LoadSecrets,
  again: boolean,
): Promise<readonly string[]> {
  const loaded = typeof secrets === 'function' ? await secrets(again) : secrets
  if (typeof loaded === 'string') return loaded === '' ? [] : [loaded]
  if (isList(loaded)) return loaded.filter((text) => text !== '')
  // A variable that is not set is undefined, whatever its type says.
  return (loaded as JsonWebKeySet | undefined) ? toPublicKeys(loaded) : []
}

const isList = (value: readonly string[] | JsonWebKeySet): value is readonly string[] => Array.isArray(value)

function toPublicKeys({ keys }: JsonWebKeySet): string[] {
  return keys.flatMap(({ kty, crv, x }) => {
    if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined) return []
    const text = x.replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    return [`whpk_${encodeBytes(bytes, 'base64')}`]
  })
}

export type KeySetOptions = {
  /** default 10 minutes */
  readonly maxAgeMs?: number | undefined
  /** default 5 seconds */
  readonly timeoutMs?: number | undefined
  readonly fetch?: ((url: string, init: { signal: AbortSignal; redirect: 'error' }) => Promise<Response>) | undefined
  /** ms since 1970; default `Date.now` */
  readonly now?: (() => number) | undefined
}

/** A message with an unknown key asks for the keys at most this often. */
const soonestMs = 30_000

/**
 * The public keys of a sender, from its JWKS address: loaded with the first message, kept for a while, and loaded again when a
 * message is signed with a key that is not among them.
 *
 * @returns secrets for `verifyWebhook`; it rejects with Error while no keys could be loaded
 * @example verifyWebhook(request, createKeySet('https://hub.example.com/.well-known/jwks.json'))
 */
export function createKeySet(url: string, options: KeySetOptions = {}): LoadSecrets {
  const { maxAgeMs = 600_000, timeoutMs = 5000, fetch: load = fetch, now = Date.now } = options
  let known: { readonly keys: readonly string[]; readonly atMs: number } | undefined
  let loading: Promise<readonly string[]> | undefined
  const refresh = async (): Promise<readonly string[]> => {
    const response = await load(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' })
    if (!response.ok) throw new Error(`the keys at ${url} cannot be had: it answered ${response.status}`)
    const keys = toPublicKeys((await response.json()) as JsonWebKeySet) // a member that is missing is passed over below
    if (keys.length === 0) throw new Error(`there is no Ed25519 key at ${url}`)
    known = { keys, atMs: now() }
    return keys
  }
  return async (again) => {
    const ageMs = known ? now() - known.atMs : Infinity
    if (known && ageMs < (again ? soonestMs : maxAgeMs)) return known.keys
    loading ??= refresh().finally(() => (loading = undefined))
    // Keys that were good a moment ago are better than none.
    return known ? loading.catch(() => known?.keys ?? []) : loading
  }
}
