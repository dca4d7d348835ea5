/** A request as handlers see it, whatever carried it. */
export type HubRequest = {
  /** in capitals */
  readonly method: string
  /** as sent: percent-encoded, without the query */
  readonly path: string
  /** what follows the `?`, or the empty text */
  readonly queryText: string
  /** @param name in lower case */
  readonly header: (name: string) => string | undefined
  /** in lower case */
  readonly headerNames: () => readonly string[]
  /** of the socket; empty where it is not known */
  readonly remoteAddress: string
  /** aborted when the caller has gone; made when first asked for */
  readonly signal: AbortSignal
  /**
   * The bytes as sent. Once.
   *
   * @throws HubError `payload-too-large` beyond `limit` bytes, before reading where `Content-Length` tells; `body-incomplete`;
   *   the reason of the signal
   */
  readonly readBody: (limit: number, watch?: BodyWatch) => Promise<Buffer>
}

export type BodyWatch = {
  /** Called with the size of each piece that has arrived. */
  readonly onBytes: (bytes: number) => void
  /** Ends the reading, and lets go of what was read. */
  readonly signal: AbortSignal
}

export type HubResponse = {
  readonly status: number
  /** names in lower case */
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array | AsyncIterable<string> | null
}

/** True for a body that is there as a whole: all but streams. */
export function isWhole(body: HubResponse['body']): body is string | Uint8Array | null {
  return body === null || typeof body === 'string' || body instanceof Uint8Array
}

/** @param text JSON, printed already */
export function jsonText(status: number, text: string): HubResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: text }
}

export function json(status: number, value: unknown): HubResponse {
  return jsonText(status, JSON.stringify(value))
}

export function noContent(): HubResponse {
  return { status: 204, headers: {}, body: null }
}
