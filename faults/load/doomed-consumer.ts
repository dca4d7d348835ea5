import { request as httpRequest } from 'node:http'
import { requireAnswer } from './request.ts'
import type { Lease } from './consume.ts'
import { parseOrder, type LastWords } from './last-words.ts'

// A consumer that goes as far as it is told, says so on stdout, and then does nothing until it is killed.
const { target, inbox, phase, leaseSeconds } = parseOrder(process.argv[2] ?? '')
const leasePath = `/v1/inboxes/${inbox}/lease`
const ackPath = `/v1/inboxes/${inbox}/ack`

// Keeps the process alive, as a consumer would that is busy.
setInterval(() => {}, 60_000)

if (phase === 'waiting' || phase === 'lease-sent') {
  // On an empty inbox the first of these stays open on the hub's side.
  sendWithoutReading(leasePath, { lease_seconds: leaseSeconds, wait_seconds: 20, limit: 100 }, [])
} else {
  const order = { lease_seconds: leaseSeconds, wait_seconds: 10, limit: 100 }
  const lease = await requireAnswer<Lease>(target, { method: 'POST', path: leasePath, body: order })
  const ids = lease.events.map((event) => event.event_id)
  const half = ids.slice(0, Math.ceil(ids.length / 2))
  const lease_id = lease.lease_id
  let leasedUntil = lease.leased_until
  if (phase === 'handling') {
    await requireAnswer(target, { method: 'POST', path: ackPath, body: { lease_id, event_ids: half } })
  }
  if (phase === 'before-ack') {
    const body = { lease_id, lease_seconds: leaseSeconds + 1 }
    const path = `/v1/inboxes/${inbox}/extend`
    leasedUntil = (await requireAnswer<{ leased_until: string }>(target, { method: 'POST', path, body })).leased_until
  }
  const words = { leased: ids, acked: phase === 'handling' ? half : [], leasedUntil }
  if (phase === 'ack-sent') sendWithoutReading(ackPath, { lease_id }, ids, leasedUntil)
  else say(words)
}

function sendWithoutReading(path: string, body: object, leased: string[], leasedUntil: string | null = null): void {
  const sending = httpRequest(new URL(path, target.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json' },
  })
  sending.on('error', () => {})
  sending.end(JSON.stringify(body), () => say({ leased, acked: [], leasedUntil }))
}

function say(words: LastWords): void {
  process.stdout.write(`${JSON.stringify(words)}\n`)
}
