import type { Fetch, Transport } from '../transport.ts'

export function createFetchTransport(fetch: Fetch): Transport {
  return async ({ method, url, headers, body, signal }) => {
    // A followed redirect would turn POST into GET; it is shown to the caller instead.
    const init: RequestInit = { method, headers, signal, redirect: 'manual' }
    if (body !== undefined) init.body = body
    const response = await fetch(url, init)
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      text: () => response.text(),
      stream: () => response.body,
    }
  }
}
