import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { createMessageReader, createStatementReader, type Message } from './postgres-messages.ts'

/** Where in a transaction a connection is cut; in the order in which a transaction comes by. */
export const cutPoints = [
  'begin-answer', // `begin` was carried out, its answer does not come back
  'locked', // the lock was taken, and the hub knows
  'mid-write', // half of the first writing statement has arrived
  'before-commit', // `commit` does not arrive
  'commit-sent', // `commit` was sent, and may arrive or not
  'commit-done', // it was carried out, its answer does not come back
  'half-answer', // half of its answer comes back
] as const
type CutPoint = (typeof cutPoints)[number]

export type Cut = {
  readonly point: CutPoint
  /** `reset` tells both ends at once; after `silence` nothing comes any more, and nobody is told */
  readonly manner: 'reset' | 'silence'
  /** of a transaction that appends events, or one that changes an inbox; not known yet at the first two points */
  readonly work: 'append' | 'inbox'
}

/** Stands between hubs and Postgres, and cuts connections where it is told. */
export type PostgresProxy = {
  /** of the same database, through the proxy */
  readonly url: string
  /** Cuts the next transaction that comes to the point; resolves to false if none has within that time. */
  readonly cutNext: (cut: Cut, withinMs: number) => Promise<boolean>
  readonly close: () => void
}

type Armed = Cut & { readonly done: () => void }

export async function startPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let armed: Armed | undefined
  /** Takes the cut that is armed, if it is meant for this place. */
  const take = (point: CutPoint, work?: Cut['work']): Cut['manner'] | undefined => {
    if (armed?.point !== point || (work !== undefined && armed.work !== work)) return undefined
    const { manner, done } = armed
    armed = undefined
    done()
    return manner
  }
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname)
    for (const socket of [client, server]) {
      sockets.add(socket.setNoDelay(true))
      socket.on('close', () => sockets.delete(socket))
    }
    relay(client, server, take)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = new URL(databaseUrl)
  url.port = String((proxy.address() as AddressInfo).port) // a TCP server's address is no string
  return {
    url: url.href,
    cutNext: (cut, withinMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          armed = undefined
          resolve(false)
        }, withinMs)
        const done = (): void => {
          clearTimeout(timer)
          resolve(true)
        }
        armed = { ...cut, done }
      }),
    close: () => {
      proxy.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

type Take = (point: CutPoint, work?: Cut['work']) => Cut['manner'] | undefined

const isBegin = (text: string): boolean => /^begin\b/i.test(text)
const isLock = (text: string): boolean => text.includes('pg_advisory_xact_lock')
const isCommit = (text: string): boolean => /^commit\b/i.test(text)
const isWrite = (text: string): boolean => /^\s*(insert|update|delete)\b/i.test(text)
// Both kinds of transactions note that they were committed.
const isMark = (text: string): boolean => text.includes('commit_mark')
const isAppend = (text: string): boolean => /^\s*insert into event\b/i.test(text)
const inboxTables = /\b(inbox|lease|parked|lease_subject|void_lease|attempt|dead_letter)\b/

// The server is told in the end, as its keep-alive probes would tell it: without, it waits for ever for half a message.
const silenceMs = 20_000

/** One connection. */
function relay(client: Socket, server: Socket, take: Take): void {
  let isCut = false
  const cut = (manner: Cut['manner']): void => {
    isCut = true
    if (manner === 'reset') {
      client.resetAndDestroy()
      server.resetAndDestroy()
    } else setTimeout(() => server.resetAndDestroy(), silenceMs).unref()
  }
  const fromClient = createClientSide({ take, cut, forward: (bytes) => void server.write(bytes) })
  const fromServer = createServerSide({
    take,
    cut,
    forward: (bytes) => void client.write(bytes),
    sent: fromClient.sent,
  })
  const readClient = createMessageReader(true)
  const readServer = createMessageReader(false)
  client.on('data', (chunk) => {
    for (const message of readClient(chunk)) if (!isCut) fromClient.pass(message)
  })
  server.on('data', (chunk) => {
    for (const message of readServer(chunk)) if (!isCut) fromServer.pass(message)
  })
  // A silent connection ends on each side when that side has had enough.
  client.on('close', () => void (!isCut && server.end()))
  server.on('close', () => {
    if (!isCut) client.end(fromServer.rest())
  })
  client.on('error', () => undefined)
  server.on('error', () => undefined)
}

/** What the answers that are still to come belong to. */
type Sent = { readonly text: string; readonly work: Cut['work'] | undefined }
type Side = {
  readonly take: Take
  readonly cut: (manner: Cut['manner']) => void
  readonly forward: (bytes: Buffer) => void
}

function createClientSide({ take, cut, forward }: Side): { pass: (message: Message) => void; sent: Sent[] } {
  const readStatement = createStatementReader()
  const sent: Sent[] = []
  let work: Cut['work'] | undefined
  const pass = (message: Message): void => {
    const text = readStatement(message)
    if (text === undefined) return forward(message.bytes)
    const { type, bytes } = message
    if (isBegin(text)) work = undefined
    if (isWrite(text) && !isMark(text)) {
      work ??= isAppend(text) ? 'append' : inboxTables.test(text) ? 'inbox' : undefined
      const manner = type === 'B' && work !== undefined ? take('mid-write', work) : undefined
      if (manner !== undefined) {
        forward(bytes.subarray(0, Math.ceil(bytes.length / 2)))
        return cut(manner)
      }
    }
    if (type === 'B') return forward(bytes)
    const isEnd = isCommit(text) && work !== undefined
    const lost = isEnd ? take('before-commit', work) : undefined
    if (lost !== undefined) return cut(lost)
    sent.push({ text, work })
    forward(bytes)
    const manner = isEnd ? take('commit-sent', work) : undefined
    if (manner !== undefined) cut(manner)
  }
  return { pass, sent }
}

function createServerSide({ take, cut, forward, sent }: Side & { readonly sent: Sent[] }): {
  pass: (message: Message) => void
  rest: () => Buffer
} {
  let isStarted = false
  let answer: Buffer[] = []
  const pass = ({ type, bytes }: Message): void => {
    const isReady = type === 'Z'
    // Notices between nodes belong to no answer, and nothing is asked before the first `ready`.
    if (!isStarted || type === 'A') {
      isStarted ||= isReady
      return forward(bytes)
    }
    answer.push(bytes)
    if (!isReady) return
    const whole = Buffer.concat(answer)
    answer = []
    const { text, work } = sent.shift() ?? { text: '', work: undefined }
    const lost = (isBegin(text) && take('begin-answer')) || (isCommit(text) && work && take('commit-done', work))
    if (lost) return cut(lost)
    const halved = isCommit(text) && work && take('half-answer', work)
    forward(halved ? whole.subarray(0, whole.length >> 1) : whole)
    const manner = halved || (isLock(text) && take('locked'))
    if (manner) cut(manner)
  }
  return { pass, rest: () => Buffer.concat(answer) }
}
