import { AsyncLocalStorage } from 'node:async_hooks'
import type { TopicDefinitions } from '../topics/definition.ts'
import type { Session } from '../topics/session.ts'
import type { Sessions, Who } from '../topics/sessions.ts'

/** By where they were opened: work may have sessions on several hubs. */
const current = new AsyncLocalStorage<ReadonlyMap<object, object>>()

/**
 * The session of the request or unit of work that calls, however deep.
 *
 * @param events where it was opened: what `withTopics` returned
 * @throws Error where no session is current: an event published on nothing would be lost
 * @example currentSession(events).createdMyEntity({ id: '1' })
 */
export function currentSession<Definitions extends TopicDefinitions, Immediate extends boolean>(
  events: Sessions<Definitions, Immediate>,
): Session<Definitions, Immediate> {
  const session = current.getStore()?.get(events)
  if (!session) {
    throw new Error(
      'no session is current; call this inside of runInSession, or behind the sessions of your web framework',
    )
  }
  return session as Session<Definitions, Immediate> // it was put there for these events
}

/**
 * `events.run` with the session made current for all that `work` calls.
 *
 * @throws what `work` throws, after a rollback; FlushError
 * @example await runInSession(events, { userId }, () => orders.create(order))
 */
export function runInSession<Definitions extends TopicDefinitions, Immediate extends boolean, Result>(
  events: Sessions<Definitions, Immediate>,
  who: Who,
  work: (session: Session<Definitions, Immediate>) => Promise<Result> | Result,
): Promise<Result> {
  return events.run(who, (session) => withCurrent(events, session, () => work(session)))
}

/** Makes a session current for what `work` calls and begins; opens and ends nothing. */
export function withCurrent<Result>(events: object, session: object, work: () => Result): Result {
  return current.run(new Map([...(current.getStore() ?? []), [events, session]]), work)
}
