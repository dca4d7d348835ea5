import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers every POST as the hub answers a published event, and looks at nothing: what a client costs shows undisturbed. */
const answer = JSON.stringify({
  event_id: '018bcfe5-6800-8000-8000-000004000007',
  timestamp: '2026-01-31T12:00:00.000Z',
  status: 'accepted',
  message: 'Event accepted',
})
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) }
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => response.writeHead(201, headers).end(answer))
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo // of a TCP server
  process.send?.({ url: `http://127.0.0.1:${port}` })
})
process.once('disconnect', () => process.exit())
