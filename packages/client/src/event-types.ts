export { EventType, type CanonicalEventType } from './catalogue/event-type.ts'
export { toEventType } from './catalogue/to-event-type.ts'
