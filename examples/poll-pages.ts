import { createSluice } from '@sluice/client'

// Reads the inbox `default` page by page and acknowledges each event once it is done. What other publishers have left in
// that inbox stays there: only events of this run are touched.
const run = crypto.randomUUID()
const sluice = createSluice({
  baseUrl: process.env.SLUICE_URL,
  apiKey: process.env.SLUICE_API_KEY,
  source: `examples/poll-pages/${run}`,
})

const sent = Array.from({ length: 120 }, (_, number) => ({
  event_type: 'user.signup',
  payload: { user_id: `${number}` },
}))
const { accepted } = await sluice.events.sendBatch(sent)
console.log(`published ${accepted} events`)

const inbox = sluice.inbox()
let cursor: string | null = null
let pages = 0
let acknowledged = 0
do {
  const { events, pagination } = await inbox.poll({ limit: 50, cursor })
  const mine = events.filter((event) => event.source === `examples/poll-pages/${run}`)
  for (const event of mine) {
    // … your work; then say that it is done. An event that is not acknowledged is on the first page again next time.
    await inbox.acknowledge(event.event_id)
    acknowledged += 1
  }
  pages += 1
  cursor = pagination.has_more ? pagination.next_cursor : null
} while (cursor !== null)

console.log(`acknowledged ${acknowledged} events on ${pages} pages`)
