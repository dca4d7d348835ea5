/** A request as the vendor got it. */
export type VendorRequest = {
  readonly method: string
  /** that the handler asked for, as `api.example.com` */
  readonly host: string
  readonly path: string
  readonly query: URLSearchParams
  /** of the route, as `id` in `/users/:id` */
  readonly params: Readonly<Record<string, string>>
  /** by lower-case name */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly bytes: Uint8Array
  /** the parsed body; undefined where it is no JSON */
  readonly json: unknown
}

/** What a vendor answers: JSON, text or bytes; nothing of them is an empty body. */
export type Answer = {
  /** default 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly json?: unknown
  readonly text?: string
  readonly bytes?: Uint8Array
  /** sends the body in pieces of so many bytes; see `drip` */
  readonly pieceBytes?: number
}

/** The connection ends without an answer, or in the middle of it. */
export type Cut = {
  readonly cut: true
  /** this comes before the cut, with the length that it should have had */
  readonly after?: Answer
}

export type Reply = Answer | Cut | ((request: VendorRequest) => Answer | Cut | Promise<Answer | Cut>)

/** A connection that breaks: before anything was answered, or after half of the body of an answer. */
export const cut = (after?: Answer): Cut => ({ cut: true, ...(after && { after }) })

/** 429. @param retryAfter seconds, or an HTTP date; without it the field is left out */
export const rateLimited = (retryAfter?: number | string): Answer => ({
  status: 429,
  json: { error: 'rate limited' },
  ...(retryAfter !== undefined && { headers: { 'retry-after': String(retryAfter) } }),
})

/** The same answer in small pieces. @param pieceBytes default 1 */
export const drip = (answer: Answer, pieceBytes: number = 1): Answer => ({ ...answer, pieceBytes })

export type Held = {
  readonly reply: Reply
  /** resolves when the request has come */
  readonly reached: Promise<void>
  /** lets the answer go; earlier than the request, it does not wait at all */
  readonly release: () => void
}

/**
 * An answer that waits until the test says so: slowness without a clock.
 *
 * @example
 * const slow = hold({ json: {} })
 * vendor.on('GET /slow', slow.reply)
 * const asked = context.fetch('https://api.example.com/slow')
 * await slow.reached
 * slow.release()
 */
export function hold(answer: Answer | Cut): Held {
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  return {
    reply: async () => {
      reached.resolve()
      await released.promise
      return answer
    },
    reached: reached.promise,
    release: () => released.resolve(),
  }
}
