import type { SealedKind } from '../store/sealed.ts'
import { sealedKinds } from '../store/sealed.ts'
import type { Store } from '../store/store.ts'
import type { Sealing } from './sealing.ts'

/** What each secret is sealed for, by what the row of it is called. */
const placeOf: Readonly<Record<SealedKind, (id: string) => string>> = {
  connection: (id) => `connection/${id}`,
  oauth_client: (id) => `oauth-client/${id}`,
  api_key: (id) => `key/${id}/hmac`,
  source: (id) => `source/${id}`,
  inbox: (id) => `push/${id}`,
}

const sealedText = /v1\.[0-9a-f]{8}\.[\w-]+/g
const atATime = 100

type Deps = { readonly store: Pick<Store, 'sealedTexts'>; readonly sealing: Sealing }

/** `lost`: sealed with a secret key that is not given. */
export type Resealed = { readonly resealed: number; readonly lost: number }

/**
 * Seals anew what an earlier secret key has sealed, so that this one can be dropped.
 *
 * @param dryRun counts only
 */
export async function reseal({ store, sealing }: Deps, { dryRun = false } = {}): Promise<Resealed> {
  const counts = { resealed: 0, lost: 0 }
  for (const kind of sealedKinds) {
    for (let after = ''; ;) {
      const found = await store.sealedTexts.list(kind, { current: sealing.current, after, limit: atATime })
      for (const { id, text } of found) {
        const by = resealText(sealing, placeOf[kind](id), text)
        if (by === undefined) counts.lost += 1
        else if (dryRun || (await store.sealedTexts.replace(kind, { id, text, by }))) counts.resealed += 1
      }
      const last = found.at(-1)
      if (!last || found.length < atATime) break
      after = last.id
    }
  }
  return counts
}

/** Undefined if none of its secrets could be opened: others of the same text may be of a key that nobody has any more. */
function resealText(sealing: Sealing, place: string, text: string): string | undefined {
  const by = text.replaceAll(sealedText, (sealed) => {
    const secret = sealed.startsWith(sealing.current) ? undefined : sealing.open(place, sealed)
    return secret === undefined ? sealed : sealing.seal(place, secret)
  })
  return by === text ? undefined : by
}
