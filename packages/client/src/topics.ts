export type { JsonSchema, Topic, TopicDefinition, TopicDefinitions } from './topics/definition.ts'
export {
  FlushError,
  TopicDataError,
  TopicNotFoundError,
  TopicsError,
  type FailedEvent,
  type TopicFault,
} from './topics/error.ts'
export type { FromSchema } from '@sluice/protocol'
export type { AnySession, FlushOptions, FlushOutcome, PublishInput, PublishOptions, Session } from './topics/session.ts'
export { topicsFromHub, type EventTypeList, type HubTopicOptions } from './topics/from-hub.ts'
export { withTopics, type SessionOptions, type Sessions, type Who } from './topics/sessions.ts'
export { defineTopics, parseTopics, type DataOf, type Topics } from './topics/topics.ts'
