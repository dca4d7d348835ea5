import type { AnySession } from '../../topics/session.ts'
import { isId, type Who } from '../../topics/sessions.ts'
import type { Logger } from '../../logger.ts'

/** What the middleware needs of `withTopics`' answer, whatever its topics. */
export type AnySessions = {
  readonly logger: Logger | undefined
  userSession(userId: string, jobId?: string | null): AnySession
  serviceSession(jobId?: string | null): AnySession
}

export type RequestSessionOptions<Request> = {
  /** field with the id of the user; default `x-sluice-user-id`. Let only your own gateway set it */
  readonly userIdHeader?: string
  /** fields with the job id, the first that is there counts; default `x-job-id`, then `x-britecore-job-id` */
  readonly jobIdHeaders?: readonly string[]
  /** who asks, from the request itself, say from what your authentication has left there; fields are read for what it leaves out */
  readonly identify?: (request: Request) => Who | undefined
  /** statuses whose events are sent; default 200 to 299, and 304, which stands for a 200 that the client has already */
  readonly isSuccess?: (status: number) => boolean
}

export type RequestSession = {
  readonly session: AnySession
  readonly isSettled: () => boolean
  /** Flushes after success, else rolls back; the first call counts. @throws FlushError */
  readonly settle: (outcome: Outcome) => Promise<void>
  /** For a flush that failed after the answer had left. */
  readonly tell: (error: unknown) => void
}

type Outcome = {
  readonly status: number
  readonly failed?: boolean
  /** the answer, or its beginning, is with the client: it can be told of no failure any more */
  readonly hasLeft?: boolean
}

/** Opens the session of a request. Ids that no event could carry are passed over, with a warning: they are the client's, not ours. */
export function openRequestSession<Request>(
  events: AnySessions,
  request: { readonly from: Request; readonly header: (name: string) => string | undefined },
  options: RequestSessionOptions<Request>,
): RequestSession {
  const { userIdHeader = 'x-sluice-user-id', jobIdHeaders = ['x-job-id', 'x-britecore-job-id'] } = options
  const { identify, isSuccess = isGood } = options
  const take = (name: string): string | undefined => {
    const value = request.header(name)?.trim()
    if (!value || isId(value)) return value || undefined
    events.logger?.warn({ field: name }, 'the request names an id that cannot be one; it is passed over')
    return undefined
  }
  const who = identify?.(request.from)
  const userId = who?.userId ?? take(userIdHeader)
  const jobId = who?.jobId ?? jobIdHeaders.map(take).find((id) => id !== undefined)
  const session = userId ? events.userSession(userId, jobId) : events.serviceSession(jobId)
  let settled = false
  return {
    session,
    isSettled: () => settled,
    settle: async ({ status, failed = false, hasLeft = false }) => {
      if (settled) return
      settled = true
      if (failed || !isSuccess(status)) session.rollback()
      else await flush(session, hasLeft)
    },
    tell: (error) => tell(events, session, error),
  }
}

/**
 * The client that is answered 500 may ask again, which publishes under new keys: what could not be sent is dropped. Where the
 * answer has left nobody asks again, and it goes to the dead letters.
 */
async function flush(session: AnySession, hasLeft: boolean): Promise<void> {
  try {
    await session.flush({ deadLetter: hasLeft })
  } catch (error) {
    session.rollback()
    throw error
  }
}

function isGood(status: number): boolean {
  return (status >= 200 && status <= 299) || status === 304
}

function tell({ logger }: AnySessions, { jobId }: AnySession, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  const message = 'events of a request were not sent, and its answer had begun to leave'
  if (logger) logger.warn({ job_id: jobId, reason }, message)
  else process.emitWarning(`${message} (job ${jobId}): ${reason}`)
}
