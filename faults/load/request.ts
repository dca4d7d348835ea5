/** A hub to talk to: its address and a key that may do everything. */
export type Target = {
  readonly url: string
  readonly apiKey: string
  /** the longest that an answer of it, or of another hub of the same run, has taken */
  readonly slowest?: { ms: number }
}

/**
 * What became of a request. `unknown`: the connection broke after the request may have left; it may have been done.
 * There are no retries here: what a suite counts must be what the hub did.
 */
export type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown; readonly retryAfter: string | null }
  | { readonly kind: 'unknown'; readonly cause: unknown }

export type HubRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** a string is sent as it is, anything else as JSON */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

// Longer than any answer of a hub that works, a long poll included.
const answerTimeoutMs = 30_000

/** Sends one request once. Never throws. */
export async function request(target: Target, { method = 'GET', path, body, headers }: HubRequest): Promise<Answer> {
  const beganMs = performance.now()
  try {
    const response = await fetch(new URL(path, target.url), {
      method,
      headers: {
        authorization: `Bearer ${target.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerTimeoutMs),
    })
    const text = await response.text()
    if (target.slowest) target.slowest.ms = Math.max(target.slowest.ms, Math.round(performance.now() - beganMs))
    const retryAfter = response.headers.get('retry-after')
    return { kind: 'answered', status: response.status, body: text === '' ? undefined : JSON.parse(text), retryAfter }
  } catch (cause) {
    return { kind: 'unknown', cause }
  }
}

/**
 * For what must succeed while the hub is known to be up.
 *
 * @throws if the answer is not 2xx, with the answer in the message
 */
export async function requireAnswer<Body>(target: Target, order: HubRequest): Promise<Body> {
  const answer = await request(target, order)
  if (answer.kind === 'answered' && answer.status >= 200 && answer.status < 300) return answer.body as Body
  const what = answer.kind === 'answered' ? `${answer.status} ${JSON.stringify(answer.body)}` : String(answer.cause)
  throw new Error(`${order.method ?? 'GET'} ${order.path} was answered ${what}`)
}
