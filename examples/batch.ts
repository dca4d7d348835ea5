import { createSluice } from '@sluice/client'

// Sends many events at once. Each has a result of its own: one that is refused does not take the others with it.
const sluice = createSluice({
  baseUrl: process.env.SLUICE_URL,
  apiKey: process.env.SLUICE_API_KEY,
  source: 'examples/batch',
})

const events = [
  { event_type: 'user.signup', payload: { user_id: '1', email: 'user1@example.com' } },
  { event_type: 'user.signup', payload: { user_id: '2', email: 'user2@example.com' } },
  { event_type: '', payload: { user_id: '3', email: 'user3@example.com' } },
  { event_type: 'user.signup', payload: { user_id: '4', email: 'user4@example.com' } },
]

const { accepted, failed, results } = await sluice.events.sendBatch(events)
for (const result of results) {
  if ('error' in result)
    console.log(`event ${result.index} refused: ${result.error.error_code}, ${result.error.message}`)
  else console.log(`event ${result.index} ${result.status}: ${result.event_id}`)
}
console.log(`${accepted} accepted, ${failed} refused`)

// Thousands go in as many requests as it takes, one after the other.
const many = Array.from({ length: 2500 }, (_, number) => ({ event_type: 'sensor.read', payload: { number } }))
const outcome = await sluice.events.sendBatch(many, {
  onProgress: ({ done, total }) => console.log(`${done} of ${total}`),
})
console.log(`${outcome.accepted} accepted, ${outcome.failed} refused`)
