import Fastify from 'fastify'

/** The least that a typical service does for one event: Fastify parses it, Ajv validates it, nothing is stored. */
const text = { type: 'string', minLength: 1, maxLength: 255 } as const
const schema = {
  body: {
    type: 'object',
    required: ['event_type', 'payload'],
    additionalProperties: false,
    properties: {
      event_type: text,
      source: text,
      subject: text,
      occurred_at: { type: 'string', format: 'date-time' },
      payload: { type: 'object' },
    },
  },
  response: {
    201: { type: 'object', properties: { event_id: text, timestamp: text, status: text, message: text } },
  },
} as const

const app = Fastify({ logger: false })
app.post('/v1/events', { schema }, (_request, reply) => {
  void reply.code(201).send({
    event_id: '018bcfe5-6800-8000-8000-000004000007',
    timestamp: '2026-01-31T12:00:00.000Z',
    status: 'accepted',
    message: 'Event accepted',
  })
})
process.send?.({ url: await app.listen({ port: 0, host: '127.0.0.1' }) })
process.once('disconnect', () => process.exit())
