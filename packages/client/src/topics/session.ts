import type { Accepted, Actor, JsonObject, NewBatchEvent, NewEvent } from '@sluice/protocol'
import type { BatchItemResult } from '../batch.ts'
import type { RequestOptions } from '../request.ts'
import type { TopicDefinitions } from './definition.ts'
import type { CategoryOf, DataOfTopic, DefaultOf, InCategory, IsDynamic, MethodName, TopicOf } from './infer.ts'

/** Members of the event beside its type and data. */
export type PublishOptions = Pick<
  NewEvent,
  'subject' | 'occurred_at' | 'metadata' | 'identity' | 'entity' | 'external_event_id' | 'channel'
>

/** Nothing where events are buffered; where they are sent at once the hub's answer, and undefined without a hub. */
type Published<Immediate extends boolean> = Immediate extends true ? Promise<Accepted | undefined> : void

type Input<Definitions extends TopicDefinitions, Topic> =
  Topic extends TopicOf<Definitions>
    ? {
        readonly action: Topic['Action']
        readonly entity: Topic['Entity']
        readonly data: DataOfTopic<Topic>
      } & (CategoryOf<Definitions, Topic> extends DefaultOf<Definitions>
        ? { readonly category?: CategoryOf<Definitions, Topic> | undefined }
        : { readonly category: CategoryOf<Definitions, Topic> })
    : never

/** One of the topics by its names, and data that fits it. */
export type PublishInput<Definitions extends TopicDefinitions> =
  IsDynamic<Definitions> extends true
    ? {
        readonly action: string
        readonly entity: string
        readonly data: JsonObject
        readonly category?: string | undefined
      }
    : Input<Definitions, TopicOf<Definitions>>

/** A method for each topic of a category, in four spellings. */
type Methods<Definitions extends TopicDefinitions, Category, Immediate extends boolean> =
  IsDynamic<Definitions> extends true
    ? { readonly [method: string]: (data: JsonObject, options?: PublishOptions) => Published<Immediate> }
    : {
        readonly [Topic in InCategory<Definitions, Category, TopicOf<Definitions>> as MethodName<Topic>]: (
          data: DataOfTopic<Topic>,
          options?: PublishOptions,
        ) => Published<Immediate>
      }

export type FlushOptions = RequestOptions & {
  /** in one request, 1 to 1,000; default 250, as BriteEvents takes. More is faster: each request is a commit of its own */
  readonly maxEvents?: number | undefined
  /**
   * true: what is not accepted leaves the session, and goes to the client's dead-letter sink; without a sink it is lost. For
   * where nobody is left to flush again. Default false: it stays in the session, and no dead letter is made of it
   */
  readonly deadLetter?: boolean | undefined
}

/** What the hub said of each event, in the order in which they were published. */
export type FlushOutcome = { readonly accepted: number; readonly results: readonly BatchItemResult[] }

/** What every session has, whatever its topics. */
export type AnySession = AsyncDisposable & {
  /** who is at work: the `actor` of every event */
  readonly actor: Actor
  /** what is being done: the `correlation_id` of every event */
  readonly jobId: string
  /** copies of the events that wait for a flush, as they will be sent; made at each reading */
  readonly events: readonly NewBatchEvent[]
  /**
   * Sends what waits, in order, in requests of at most 250 events. What was accepted leaves the session; the rest stays in it. A second
   * flush at the same time waits for the first; what is published meanwhile is left to the next.
   *
   * @throws FlushError that names every event which was not accepted; RangeError for a `maxEvents` that the hub does not take
   */
  flush(options?: FlushOptions): Promise<FlushOutcome>
  /**
   * Hands what waits to `store` instead of the hub: an outbox, a queue. It leaves the session when `store` has ended well, so
   * that a transaction belongs inside, with its commit and its repetitions: one that is rolled back afterwards takes the events with it.
   *
   * @returns how many events those were
   * @example await session.flushTo((events) => sql.begin((transaction) => outbox.add(transaction, events)))
   */
  flushTo(store: (events: readonly NewBatchEvent[]) => unknown): Promise<number>
  /** Drops what waits. What a flush is sending in this moment is not called back. @returns how many events were dropped */
  rollback(): number
}

/** A unit of work, as a web request, whose events are published together at its end, or not at all. */
export type Session<
  Definitions extends TopicDefinitions = TopicDefinitions,
  Immediate extends boolean = false,
> = AnySession & {
  /**
   * Publishes an event on a topic: it is checked and copied now, and sent by `flush`.
   *
   * @param options members of the event beside its data, as `{ subject: 'order-7' }`
   * @throws TopicNotFoundError; TopicDataError with every fault of the data
   * @example session.publish({ action: 'Created', entity: 'MyEntity', data: { id: '1' } })
   */
  publish(input: PublishInput<Definitions>, options?: PublishOptions): Published<Immediate>
  /** Methods of another category. @throws TopicNotFoundError for one that has no topics @example session.in('billing').invoicePaid({ id: '7' }) */
  in<Category extends (IsDynamic<Definitions> extends true ? string : CategoryOf<Definitions, TopicOf<Definitions>>)>(
    category: Category,
  ): Methods<Definitions, Category, Immediate>
} & Methods<Definitions, DefaultOf<Definitions>, Immediate>
