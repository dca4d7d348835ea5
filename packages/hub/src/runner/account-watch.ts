import { createAccountTest, readLimits, type Intercept, type ServiceLimits } from '@sluice/sdk/outbound'
import { RateLimitError } from '@sluice/sdk/integration'

export type AccountWatchOptions = {
  readonly credentials: Readonly<Record<string, unknown>>
  readonly hosts: readonly string[] | undefined
  /** asks for leave to make the request of that number; undefined: none is needed */
  readonly onAsk: ((number: number) => void) | undefined
  readonly onLimits: (limits: ServiceLimits) => void
}

/** Looks at the requests that a run makes with its account: in its process, where they are made. */
export type AccountWatch = {
  readonly intercept: Intercept
  /** The answer to `onAsk`: null, or the seconds after which there is leave. */
  readonly permit: (number: number, retryAfter: number | null) => void
  readonly isUnauthorized: () => boolean
}

export function createAccountWatch({ credentials, hosts, onAsk, onLimits }: AccountWatchOptions): AccountWatch {
  const isOfAccount = createAccountTest({ credentials, hosts })
  const asked = new Map<number, (retryAfter: number | null) => void>()
  let [last, unauthorized] = [0, false]
  const ask = async (): Promise<void> => {
    if (!onAsk) return
    last += 1
    const answer = new Promise<number | null>((resolve) => asked.set(last, resolve))
    onAsk(last)
    const retryAfter = await answer
    if (retryAfter === null) return
    const message = 'the hub has no leave for this connection: what its service allows is used up'
    throw new RateLimitError({ retryAfter, message, responseData: null })
  }
  return {
    intercept: async (request, send) => {
      if (!isOfAccount(request)) return send()
      await ask()
      const answer = await send()
      if (answer.status === 401) unauthorized = true
      const limits = onAsk && readLimits(answer, Date.now())
      if (limits) onLimits(limits)
      return answer
    },
    permit: (number, retryAfter) => {
      asked.get(number)?.(retryAfter)
      asked.delete(number)
    },
    isUnauthorized: () => unauthorized,
  }
}
