import type { Key, KeyStatus, KeyWithSecret, NewKey, PatchKey, RotateKey, RotatedKey } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { AuditPage, KeyPage, PageQuery } from './page.ts'

export function createKeyRoutes(request: Request) {
  const of = (keyId: string): string => `/v1/keys/${encodeURIComponent(keyId)}`
  return {
    listKeys: (
      query: PageQuery & { readonly status?: KeyStatus | undefined } = {},
      options?: RequestOptions,
    ): Promise<KeyPage> => request({ method: 'GET', path: '/v1/keys', query, repeatable: true }, options),
    /** The secret is in this answer and nowhere else; if the answer is lost, revoke the key and make another. */
    createKey: (key: NewKey, options?: RequestOptions): Promise<KeyWithSecret> =>
      request({ method: 'POST', path: '/v1/keys', body: key, repeatable: false }, options),
    getKey: (keyId: string, options?: RequestOptions): Promise<Key> =>
      request({ method: 'GET', path: of(keyId), repeatable: true }, options),
    patchKey: (keyId: string, changes: PatchKey, options?: RequestOptions): Promise<Key> =>
      request({ method: 'PATCH', path: of(keyId), body: changes, repeatable: true }, options),
    /** With `hmac: true` the HMAC secret, else the API key: only the one that is new is in the answer. */
    rotateKey: (keyId: string, body: RotateKey = {}, options?: RequestOptions): Promise<RotatedKey> =>
      request({ method: 'POST', path: `${of(keyId)}/rotate`, body, repeatable: false }, options),
    revokeKey: (keyId: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: of(keyId), repeatable: true, answer: 'none' }, options),
    listAudit: (query: PageQuery = {}, options?: RequestOptions): Promise<AuditPage> =>
      request({ method: 'GET', path: '/v1/audit', query, repeatable: true }, options),
  }
}
