import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { HubError } from '@sluice/protocol'
import type { App } from './app.ts'
import { toFetch } from './fetch.ts'
import { listen } from './node.ts'
import { createStrangers, type Strangers, type StrangersOptions } from './strangers.ts'

/** Answers with the size of the body, or with the code of the refusal. The key is the path. */
function toApp(strangers: Strangers): App {
  return async (request) => {
    const asked = { keyId: request.path, limit: 5000 }
    const said = await strangers.read(request, asked).then(
      (body) => String(body.length),
      (error: unknown) => (error instanceof HubError ? error.code : String(error)),
    )
    return { status: 200, headers: { connection: 'close' }, body: said }
  }
}

type Upload = { readonly send: (bytes: number) => void; readonly end: () => void; readonly answer: Promise<string> }

/** In memory, in pieces. */
function createUploads(options: StrangersOptions): (key: string) => Upload {
  const { request } = toFetch(toApp(createStrangers(options)))
  return (key) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const init = { method: 'POST', body: readable, duplex: 'half' } as RequestInit
    return {
      send: (bytes) => void writer.write(new Uint8Array(bytes)).catch(() => undefined),
      end: () => void writer.close().catch(() => undefined),
      answer: request(`/${key}`, init).then((response) => response.text()),
    }
  }
}

async function whole(upload: Upload, bytes: number): Promise<string> {
  upload.send(bytes)
  upload.end()
  return upload.answer
}

test('what is announced and does not come counts for nothing', async () => {
  const begin = createUploads({ maxBytes: 4000 })
  const hanging = Array.from({ length: 50 }, () => begin('a'))
  assert.equal(await whole(begin('a'), 900), '900')
  for (const upload of hanging) assert.equal(await whole(upload, 0), '0')
})

test('a key has a quarter, in which the largest gives way', async () => {
  const begin = createUploads({ maxBytes: 4000 })
  const [large, small] = [begin('a'), begin('a')]
  large.send(600)
  small.send(300)
  assert.equal(await whole(begin('b'), 1000), '1000', 'that of another key is its own')
  assert.equal(await whole(begin('a'), 350), '350')
  assert.equal(await large.answer, 'overloaded')
  assert.equal(await whole(small, 100), '400')
  assert.equal(await whole(begin('a'), 1001), 'overloaded')
  assert.equal(await whole(begin('a'), 1000), '1000', 'all that was taken is given back')
})

test('over all keys the largest gives way, too', async () => {
  const begin = createUploads({ maxBytes: 4000 })
  const full = ['a', 'b', 'c', 'd'].map((key) => {
    const upload = begin(key)
    upload.send(1000)
    return upload
  })
  assert.equal(await whole(begin('e'), 10), '10')
  assert.equal(await full[0]?.answer, 'overloaded')
  for (const upload of full.slice(1)) assert.equal(await whole(upload, 0), '1000')
})

async function openUpload(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n${text}`)
  return socket
}

test('over a socket a body has its time, and is cut off when it must give way', async () => {
  const logger = { error: () => {}, debug: () => {} }
  for (const [options, text, code] of [
    [{ deadlineMs: 1 }, 'x', 'body-incomplete'],
    [{ maxBytes: 400 }, 'x'.repeat(101), 'overloaded'],
  ] as const) {
    const listener = await listen({ app: toApp(createStrangers(options)), host: '127.0.0.1', port: 0, logger })
    const socket = await openUpload(listener.port, text)
    let answer = ''
    for await (const piece of socket) answer += String(piece)
    assert.ok(answer.endsWith(code), answer)
    await listener.close(1000)
  }
})
