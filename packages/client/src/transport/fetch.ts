import type { Fetch, Transport } from '../transport.ts'

export function createFetchTransport(fetch: Fetch): Transport {
  return async ({ method, url, headers, body, bytes, signal }) => {
    // A followed redirect would turn POST into GET; it is shown to the caller instead.
    const init: RequestInit = { method, headers, signal, redirect: 'manual' }
    const content = bytes ?? body
    if (content !== undefined) init.body = content
    const response = await fetch(url, init)
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      text: () => response.text(),
      stream: () => response.body,
    }
  }
}
