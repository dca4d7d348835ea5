import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

type Posted = { readonly channel: string; readonly ts: string; readonly text?: string; readonly blocks?: unknown }
type Answer = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: object }

export type FakeSlack = {
  /** of the API's root */
  readonly url: string
  readonly messages: Posted[]
  readonly channels: { readonly id: string; readonly name: string; readonly is_archived?: boolean }[]
  readonly asked: string[]
  /** answers that are given instead of the next ones */
  readonly failNext: (...answers: readonly Answer[]) => void
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** The part of Slack's Web API that the integration uses, for the token `xoxb-test`: always 200, and `ok` says the rest. */
export async function startSlack(): Promise<FakeSlack> {
  const faults: Answer[] = []
  const server = createServer((request, response) => {
    void readText(request).then((text) => {
      fake.asked.push(`${request.method} ${request.url}`)
      const isKnown = request.headers.authorization === 'Bearer xoxb-test'
      const refused: Answer | undefined = isKnown ? undefined : { body: { ok: false, error: 'invalid_auth' } }
      const given: Answer = faults.shift() ?? refused ?? { body: answer(fake, request, text) }
      const { status = 200, headers, body } = given
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
      response.end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeSlack = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`, // it listens on a port
    messages: [],
    channels: [],
    asked: [],
    failNext: (...answers) => void faults.push(...answers),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer) // no encoding was set
  return Buffer.concat(parts).toString()
}

function answer(fake: FakeSlack, { url = '', headers }: IncomingMessage, text: string): object {
  const { pathname, searchParams } = new URL(url, fake.url)
  const isJson = headers['content-type']?.startsWith('application/json')
  const body = (isJson ? JSON.parse(text) : {}) as Partial<Posted>
  switch (pathname) {
    case '/api/auth.test':
      return { ok: true, url: 'https://acme.slack.com/', team: 'Acme', user: 'sluice', team_id: 'T1', user_id: 'U1' }
    case '/api/conversations.list':
      return listChannels(fake, searchParams)
    case '/api/chat.postMessage':
      return post(fake, body)
    case '/api/chat.update':
      return update(fake, body)
    default:
      return { ok: false, error: 'unknown_method' }
  }
}

function listChannels({ channels }: FakeSlack, query: URLSearchParams): object {
  const wanted = channels.filter((channel) => query.get('exclude_archived') !== 'true' || !channel.is_archived)
  const from = Number(query.get('cursor') ?? 0)
  const to = from + Number(query.get('limit') ?? 100)
  const next = to < wanted.length ? String(to) : ''
  return { ok: true, channels: wanted.slice(from, to), response_metadata: { next_cursor: next } }
}

function post(fake: FakeSlack, { channel = '', text, blocks }: Partial<Posted>): object {
  const found = fake.channels.find(({ id, name }) => id === channel || `#${name}` === channel)
  if (!found) return { ok: false, error: 'channel_not_found' }
  const ts = `1772366400.${String(fake.messages.length + 1).padStart(6, '0')}`
  fake.messages.push({ channel: found.id, ts, ...(text !== undefined && { text }), blocks })
  return { ok: true, channel: found.id, ts, message: { text } }
}

function update(fake: FakeSlack, { channel = '', ts = '', ...change }: Partial<Posted>): object {
  const at = fake.messages.findIndex((message) => message.channel === channel && message.ts === ts)
  if (at < 0) return { ok: false, error: 'message_not_found' }
  fake.messages[at] = { channel, ts, ...change }
  return { ok: true, channel, ts, text: change.text }
}
