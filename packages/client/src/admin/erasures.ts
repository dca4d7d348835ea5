import type { Erased, EraseRequest } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'

export function createErasureRoutes(request: Request) {
  return {
    /** One step; send it again with `next_cursor` until `done`. */
    eraseIdentity: (body: EraseRequest, options?: RequestOptions): Promise<Erased> =>
      request({ method: 'POST', path: '/v1/erasures', body, repeatable: true }, options),
  }
}
