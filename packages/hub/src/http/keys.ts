import { listDeeds } from '../domain/audit.ts'
import type { Context } from '../domain/context.ts'
import { createKey, listKeys, patchKey, revokeKey, rotateKey, showKey } from '../domain/keys.ts'
import { json, noContent, type HubResponse } from './exchange.ts'
import type { Handlers } from './call.ts'
import { pageResponse } from './page.ts'

type KeyRoute = 'listKeys' | 'createKey' | 'getKey' | 'patchKey' | 'rotateKey' | 'revokeKey' | 'listAudit'

export function keyHandlers(context: Context): Pick<Handlers, KeyRoute> {
  return {
    listKeys: async ({ principal, query }) => pageResponse('keys', await listKeys(context, principal.workspace, query)),
    createKey: async ({ principal, body }) => secret(201, await createKey(context, principal, body)),
    getKey: async ({ principal, params }) => json(200, await showKey(context, principal, params.key_id)),
    patchKey: async ({ principal, params, body }) => json(200, await patchKey(context, principal, params.key_id, body)),
    rotateKey: async ({ principal, params, body }) =>
      secret(200, await rotateKey(context, principal, params.key_id, body)),
    revokeKey: async ({ principal, params }) => {
      await revokeKey(context, principal, params.key_id)
      return noContent()
    },
    listAudit: async ({ principal, query }) =>
      pageResponse('entries', await listDeeds(context, principal.workspace, query)),
  }
}

/** A secret is shown this once, and nobody on the way is to keep it. */
function secret(status: number, value: unknown): HubResponse {
  const response = json(status, value)
  return { ...response, headers: { ...response.headers, 'cache-control': 'no-store' } }
}
