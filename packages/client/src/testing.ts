export { createFakeClock, type FakeClock } from './testing/fake-clock.ts'
export {
  createRecordingTransport,
  type RecordedEvent,
  type RecordedRequest,
  type RecordingTransport,
} from './testing/recording-transport.ts'
