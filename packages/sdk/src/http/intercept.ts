/** A request as it is about to leave: each attempt and each hop of a redirect is one. */
export type Outgoing = {
  /** in upper case */
  readonly method: string
  readonly url: URL
  /** by lower-case name */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

export type Incoming = {
  readonly status: number
  /** by lower-case name; a list where a field came more than once */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly bytes: Buffer
}

/**
 * Stands between `context.fetch` and the network: it may wait before it sends, look at the answer, or answer by itself. The time
 * of an attempt begins when it sends.
 */
export type Intercept = (request: Outgoing, send: () => Promise<Incoming>) => Promise<Incoming>
