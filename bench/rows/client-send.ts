import { createSluice } from '@sluice/client'
import { Pool } from 'undici'
import { toEventText } from '../event.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub } from '../hub.ts'
import { pinLoad } from '../pin.ts'
import { openReference } from '../references/serve.ts'
import { alternate, runLoops } from '../rounds.ts'
import type { Context, Figure, Row } from '../row.ts'

const concurrency = 64
let counter = 2_000_000_000

export const clientSend: Row = {
  name: 'client-send',
  title: 'Client send, concurrency 64',
  run: async (context) => {
    await using receiver = await openReference<object, { url: string }>('receiver.ts')
    await using hub = await openHub({ data: context.folder('hub') })
    using _pinned = pinLoad()
    const { url, apiKey } = hub
    return [
      await compare(context, { url: receiver.ready.url, apiKey }, 'an empty receiver'),
      await compare(context, { url, apiKey }, 'the hub'),
    ]
  },
}

type Target = { readonly url: string; readonly apiKey: string }

async function compare(context: Context, target: Target, to: string): Promise<Figure> {
  context.say(`to ${to}`)
  const pool = new Pool(target.url, { connections: concurrency })
  const { seconds } = context
  const measured = await alternate(context, {
    bare: () => runLoops({ seconds, concurrency }, toBareSend(pool, target.apiKey)),
    client: () => runLoops({ seconds, concurrency }, toClientSend(target)),
  })
  await pool.close()
  return toFigure({
    path: `client send to ${to}, concurrency ${concurrency}`,
    against: 'bare undici.request POSTs of the same body',
    unit: '×',
    rounds: toRatios(measured.client, measured.bare),
    bar: { must: 0.6, aim: 0.8, better: 'higher' },
    details: [`client ${toSpread(measured.client)} events/s`, `bare ${toSpread(measured.bare)} requests/s`],
  })
}

function toBareSend(pool: Pool, apiKey: string): () => Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  return async () => {
    const answer = await pool.request({
      method: 'POST',
      path: '/v1/events',
      headers,
      body: toEventText((counter += 1)),
    })
    await answer.body.json()
    if (answer.statusCode !== 201) throw new Error(`a bare POST was answered ${answer.statusCode}`)
  }
}

/** The same events, as objects: serialising them is the client's work. They are made beforehand. */
function toClientSend({ url, apiKey }: Target): () => Promise<void> {
  const sluice = createSluice({ baseUrl: url, apiKey })
  const events = Array.from({ length: 1024 }, (_, index) => {
    const { event_type: type, payload, ...members } = JSON.parse(toEventText(index))
    return { type, payload, members }
  })
  return async () => {
    counter += 1
    const event = events[counter % events.length]
    if (event) await sluice.events.send(event.type, event.payload, event.members)
  }
}
