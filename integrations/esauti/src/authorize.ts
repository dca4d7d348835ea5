import { ApiError, type RequestOptions } from '@sluice/client'
import type { Call, Request, Rest } from '@sluice/client/rest'

/** The `Authorization` of a request, now and after it was refused. */
export type Credentials = {
  current(signal: AbortSignal | undefined): Promise<string | undefined>
  /** another one than `stale`; absent where there is only one */
  renew?(stale: string | undefined, signal: AbortSignal | undefined): Promise<string>
}

export function createFixed(header: string | undefined): Credentials {
  return { current: () => Promise.resolve(header) }
}

/** Requests with credentials. A 401 renews them, once, and then the request is made again: it was not begun. */
export function authorize({ request, clock }: Rest, credentials: Credentials): Request {
  return async <Answer>(call: Call, options: RequestOptions = {}): Promise<Answer> => {
    const { signal, totalTimeoutMs } = options
    const deadline = totalTimeoutMs === undefined ? undefined : clock.now() + totalTimeoutMs
    const header = await credentials.current(signal)
    try {
      return await request<Answer>(toAuthorized(call, header), options)
    } catch (error) {
      if (!credentials.renew || !(error instanceof ApiError) || error.status !== 401) throw error
    }
    const renewed = await credentials.renew(header, signal)
    const remaining = deadline === undefined ? {} : { totalTimeoutMs: Math.max(0, deadline - clock.now()) }
    return request<Answer>(toAuthorized(call, renewed), { ...options, ...remaining })
  }
}

function toAuthorized(call: Call, header: string | undefined): Call {
  return header === undefined ? call : { ...call, headers: { ...call.headers, authorization: header } }
}
