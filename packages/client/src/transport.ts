/** One request, ready to leave: headers complete, body serialised. */
export type TransportRequest = {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** instead of `body`, where a file goes to another service; the hub is sent none */
  readonly bytes?: Uint8Array<ArrayBuffer>
  /** the hub may hold the answer back for long: it waits for events, or streams them */
  readonly isHeld: boolean
  /** aborts on timeout too; a transport must give up then */
  readonly signal: AbortSignal
}

export type TransportResponse = {
  readonly status: number
  /** by lower-case name, or null */
  header(name: string): string | null
  text(): Promise<string>
  /** the body as it arrives, instead of `text`; null if there is none */
  stream(): ReadableStream<Uint8Array> | null
}

/** Replaces HTTP: for tests, queues, or another HTTP client. Rejecting stands for "no answer" and is tried again. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>

export type Fetch = (url: string, init: RequestInit) => Promise<Response>
