import { HubError } from '@sluice/protocol'
import type { HubRequest } from '../exchange.ts'

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

export type OriginOptions = { readonly corsOrigins: readonly string[]; readonly publicUrl: string | undefined }

/**
 * Refuses pages of strangers: a browser may be led to a hub on its own machine or network under another name. Programs send no
 * origin.
 *
 * @returns a check that throws HubError `forbidden`
 */
export function createOriginCheck({ corsOrigins, publicUrl }: OriginOptions): (request: HubRequest) => void {
  const known = new Set([...corsOrigins, ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin])])
  return (request) => {
    const origin = request.header('origin')
    if (origin === undefined || known.has('*') || known.has(origin)) return
    if (loopback.test(URL.parse(origin)?.hostname ?? '')) return
    throw new HubError(
      'forbidden',
      `pages of ${origin.slice(0, 200)} may not speak to /mcp; start the hub with --cors-origin to allow them`,
    )
  }
}
