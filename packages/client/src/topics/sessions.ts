import type { Actor, Event, JsonObject } from '@sluice/protocol'
import { checkMaxEvents } from '../batch.ts'
import type { Sluice } from '../client.ts'
import { consoleLogger, createRedactingLogger, type Logger } from '../logger.ts'
import { newUuid } from '../uuid.ts'
import { createBuffer } from './buffer.ts'
import type { TopicDefinitions } from './definition.ts'
import { withMethods, type PublishOn } from './methods.ts'
import { TopicNotFoundError } from './error.ts'
import { none, toEvent, type Author } from './publish.ts'
import { sendAll, sendNow, type Context } from './send.ts'
import type { AnySession, PublishOptions, Session } from './session.ts'
import type { Topics } from './topics.ts'

export type SessionOptions<Immediate extends boolean = boolean> = {
  /** the name of the program: `source` of its events, and their actor where no user is */
  readonly service: string
  /** no buffer: every event is sent when it is published, and nothing can be rolled back */
  readonly publishImmediately?: Immediate
  /** told of flushes, of what is dropped and, without a hub, of every event; never of data */
  readonly logger?: Logger | undefined
  /** ms since 1970, as Date.now; `occurred_at` of events that give none */
  readonly now?: (() => number) | undefined
  /** makes job ids and idempotency keys; UUIDs by default */
  readonly newId?: (() => string) | undefined
}

/** Who works and on what. Without a user it is the service. */
export type Who = {
  readonly userId?: string | null | undefined
  /** one is made when left out or empty */
  readonly jobId?: string | null | undefined
}

/** Where sessions are opened: one for a program, or for each of its tenants. */
export type Sessions<Definitions extends TopicDefinitions = TopicDefinitions, Immediate extends boolean = false> = {
  readonly topics: Topics<Definitions>
  readonly logger: Logger | undefined
  /** What a user does. @param jobId from the request; one is made when left out */
  userSession(userId: string, jobId?: string | null): Session<Definitions, Immediate>
  /** What the program does by itself. */
  serviceSession(jobId?: string | null): Session<Definitions, Immediate>
  /** What the program does for somebody outside. */
  thirdPartySession(jobId?: string | null): Session<Definitions, Immediate>
  /** Goes on with what a received event began: its actor, and its `correlation_id` or, without one, its id, as job. */
  sessionFrom(event: Pick<Event, 'event_id' | 'actor' | 'correlation_id'>): Session<Definitions, Immediate>
  /**
   * Runs `work` with a session that is flushed when it returns and rolled back when it throws.
   *
   * @returns what `work` returns
   * @throws what `work` throws; FlushError
   * @example await events.run({ userId, jobId }, async (session) => session.createdMyEntity({ id: '1' }))
   */
  run<Result>(who: Who, work: (session: Session<Definitions, Immediate>) => Promise<Result> | Result): Promise<Result>
}

/**
 * Sessions on a hub: events of one unit of work that are sent together at its end, or not at all.
 *
 * @param sluice null for local mode: everything is checked and logged, and nothing is sent
 * @throws TypeError for a service without a name, and for undefined in place of a client
 * @example
 * const events = withTopics(sluice, topics, { service: 'my-service' })
 * const session = events.userSession(userId, jobId)
 * session.createdMyEntity({ id: '1' })
 * await session.flush()
 */
export function withTopics<Definitions extends TopicDefinitions, const Immediate extends boolean = false>(
  sluice: Pick<Sluice, 'events'> | null,
  topics: Topics<Definitions>,
  options: SessionOptions<Immediate>,
): Sessions<Definitions, Immediate> {
  const { service, newId = newUuid, now = Date.now } = options
  const logger = options.logger && createRedactingLogger(options.logger)
  checkId('service', service)
  // Undefined is most likely a mistake, and events would be lost by it.
  if (sluice === undefined) throw new TypeError('withTopics takes a client of createSluice, or null for local mode')
  const context: Context = {
    sluice,
    // The type goes back on in `open`.
    topics: topics as unknown as Topics<never>,
    isImmediate: options.publishImmediately === true,
    logger,
  }
  const open = (actor: Actor, jobId: string | null | undefined): Session<Definitions, Immediate> => {
    checkId('the id of the actor', actor.id)
    if (jobId) checkId('jobId', jobId)
    const author = { service, actor: { ...actor }, jobId: jobId || newId(), now, newId }
    return openSession(context, author) as Session<Definitions, Immediate> // made of the same topics
  }
  const own = (jobId: string | null | undefined) => open({ type: 'service', id: service }, jobId)
  return {
    topics,
    logger,
    userSession: (userId, jobId) => open({ type: 'user', id: userId }, jobId),
    serviceSession: own,
    thirdPartySession: (jobId) => open({ type: 'third-party', id: service }, jobId),
    sessionFrom: ({ actor = { type: 'service', id: service }, correlation_id: id, event_id: eventId }) =>
      open(actor, id ?? eventId),
    run: async ({ userId, jobId }, work) => {
      await using session = userId ? open({ type: 'user', id: userId }, jobId) : own(jobId)
      const result = await work(session)
      await session.flush()
      return result
    },
  }
}

function openSession(context: Context, author: Author): object {
  const { topics, logger, isImmediate } = context
  const buffer = createBuffer()
  const { actor, jobId } = author
  const publish: PublishOn = isImmediate
    ? async (topic, data, options = none) => sendNow(context, toEvent(topic, author, { data, options }))
    : (topic, data, options = none) => buffer.add(toEvent(topic, author, { data, options }))
  const rollback = (): number => {
    const dropped = buffer.clear()
    if (dropped > 0) logger?.warn({ job_id: jobId, events: dropped }, 'rolled back: events are dropped unsent')
    return dropped
  }
  const own: AnySession & Publishes = {
    actor,
    jobId,
    get events() {
      return structuredClone([...buffer.waiting])
    },
    flush: async (options) => {
      checkMaxEvents(options?.maxEvents)
      const outcome = await buffer.flush((events) => sendAll(context, events, options), {
        givesUp: options?.deadLetter === true,
      })
      logger?.debug({ job_id: jobId, accepted: outcome.accepted }, 'flushed')
      return outcome
    },
    flushTo: async (store) => {
      const { count, isInDoubt } = await buffer.flushTo(store)
      if (isInDoubt) (logger ?? createRedactingLogger(consoleLogger)).warn({ job_id: jobId, events: count }, inDoubt)
      return count
    },
    rollback,
    publish: (input, options) => publish(topics.get(checkNamed(input)), input.data, options),
    in: (category) => withMethods({}, topics, { category: checkCategory(topics, category), publish }),
    [Symbol.asyncDispose]: async () => {
      await buffer.settled()
      rollback()
    },
  }
  return withMethods(own, topics, { publish })
}

const inDoubt =
  'the transaction that the events of flushTo were written in is still open: if it is rolled back, a second attempt has no ' +
  'events; begin and commit it inside of the function that flushTo is given'

type Publishes = {
  publish(input: Named, options?: PublishOptions): unknown
  in(category: string): object
}
type Named = {
  readonly action: string
  readonly entity: string
  readonly category?: string | undefined
  readonly data: JsonObject
}

/** A category without topics is a typing error, which is clearer here than at the method behind it. */
function checkCategory(topics: Topics<never>, category: string): string {
  const known = [...new Set(topics.list.map((topic) => topic.category))]
  if (known.includes(category)) return category
  throw new TopicNotFoundError(`the category ${category}`, known)
}

/** For callers without TypeScript: the order of four arguments is not to be remembered. */
function checkNamed(input: Named): Named {
  if (typeof input === 'object' && input !== null) return input
  throw new TypeError("publish takes one object, as { action: 'Created', entity: 'MyEntity', data }")
}

/** An id that the hub takes: 1 to 255 characters, none of them control characters. */
export function isId(text: unknown): text is string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return typeof text === 'string' && /^[^\u0000-\u001f\u007f]{1,255}$/.test(text) && text.isWellFormed()
}

function checkId(name: string, text: unknown): void {
  if (isId(text)) return
  throw new TypeError(`${name} must be 1 to 255 characters without control characters; it is ${JSON.stringify(text)}`)
}
