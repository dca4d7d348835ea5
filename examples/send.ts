import { createSluice } from '@sluice/client'

// Sends an event, then the same once more: an idempotency key stands for one event, however often it is sent.
const sluice = createSluice({
  baseUrl: process.env.SLUICE_URL,
  apiKey: process.env.SLUICE_API_KEY,
  source: 'examples/send',
})

const idempotencyKey = `signup-123-${crypto.randomUUID()}`
const signup = () =>
  sluice.events.send(
    'user.signup',
    { user_id: '123', email: 'user@example.com', plan: 'pro' },
    { subject: 'user-123', metadata: { ip: '192.0.2.1' }, idempotencyKey },
  )

const first = await signup()
console.log(`${first.status}: event ${first.event_id} at ${first.timestamp}`)

const again = await signup()
console.log(`${again.status}: event ${again.event_id}, ${again.event_id === first.event_id ? 'the same' : 'another'}`)

const stored = await sluice.events.get(first.event_id)
console.log('stored:', stored)
