/** One request, ready to leave: headers complete, body serialised. */
export type TransportRequest = {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** aborts on timeout too; a transport must give up then */
  readonly signal: AbortSignal
}

export type TransportResponse = {
  readonly status: number
  /** by lower-case name, or null */
  header(name: string): string | null
  text(): Promise<string>
  /** the body as it arrives, for streams; null if there is none */
  readonly body: ReadableStream<Uint8Array> | null
}

/** Replaces HTTP: for tests, queues, or another HTTP client. Rejecting stands for "no answer" and is tried again. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export function createFetchTransport(fetch: Fetch): Transport {
  return async ({ method, url, headers, body, signal }) => {
    // A followed redirect would turn POST into GET; it is shown to the caller instead.
    const init: RequestInit = { method, headers: { ...headers }, signal, redirect: 'manual' }
    const response = await fetch(url, body === undefined ? init : { ...init, body })
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      text: () => response.text(),
      body: response.body,
    }
  }
}
