import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createEsauti, type Esauti } from './esauti.ts'
import type { Extra, Operations } from './spec.ts'
import { table } from './table.ts'
import { startInstance, type Instance } from './testing.ts'

// Every line of the table is called once against an instance that has routes of its own.
type Client = Operations<Record<string, unknown>, object> & Record<string, (...args: unknown[]) => Promise<unknown>>
type Row = (typeof table)[keyof typeof table]

describe('table', () => {
  let instance: Instance
  let esauti: Esauti

  beforeEach(async () => {
    instance = await startInstance()
    esauti = createEsauti({ baseUrl: instance.url, token: instance.token, maxRetries: 0 })
  })
  afterEach(() => instance.close())

  const open = (name: string): Client => Reflect.get(esauti.api, name) as Client

  for (const [name, spec] of Object.entries<Row>(table)) {
    const does = new Set<string>(spec.does)
    if (does.has('create')) test(`${name}: made, read, changed, replaced, listed and deleted`, () => live(open(name)))
    if (does.has('batch')) test(`${name}: many in one request`, () => batch(open(name)))
    if (does.has('list') && !does.has('create')) {
      test(`${name}: listed`, async () => assert.ok((await open(name).list()).items.length > 0))
    }
    for (const [method, extra] of Object.entries<Extra>(spec.extras)) {
      test(`${name}.${method}: ${extra.method} ${extra.path}`, () => callExtra(name, method, extra))
    }
    test(`${name}: has what its row says, and nothing else`, () => {
      const names = [...spec.does, ...(does.has('list') ? ['iterate'] : []), ...Object.keys(spec.extras)]
      assert.deepEqual(Object.keys(open(name)).toSorted(), names.toSorted())
    })
  }

  async function callExtra(name: string, method: string, extra: Extra): Promise<void> {
    const contact = await esauti.api.contacts.create({ firstname: 'Jane' })
    const owner = Object.hasOwn(open(name), 'upsert') ? await open(name).create({ name: 'one' }) : { id: 1 }
    const values: Record<string, unknown> = {
      id: owner['id'],
      contact: contact.id,
      folder: 'images',
      points: 5,
      submission: 7,
    }
    const places = [...extra.path.matchAll(/\{(\w+)\}/g)].map(([, place = '']) => values[place] ?? 'email')
    if (extra.path === 'files/{folder}/{file}/delete') {
      await esauti.api.files.create('images', { name: 'email', content: 'bytes' })
    }
    const input = { query: { limit: 5 }, body: { note: 'why' }, ids: [contact.id], upload: { name: 'a', content: 'b' } }
    const args = extra.input === 'none' ? places : [...places, input[extra.input]]
    const answer = await open(name)[method]?.(...args)
    const { method: sent, target, body } = instance.seen.at(-1) ?? assert.fail('nothing was sent')
    const rest = [...places]
    const path = extra.path.replaceAll(/\{\w+\}/g, () => JSON.stringify(rest.shift()).replaceAll('"', ''))
    assert.equal(`${sent} ${target}`, `${extra.method} /api/${path}${extra.input === 'query' ? '?limit=5' : ''}`)
    if (extra.input === 'ids') assert.deepEqual(JSON.parse(body.toString()), { [extra.inputName]: [contact.id] })
    if (extra.input === 'body') assert.deepEqual(JSON.parse(body.toString()), { note: 'why' })
    assertAnswer(answer, extra)
  }
})

async function live(client: Client): Promise<void> {
  const made = await client.create({ name: 'first', note: 'kept' })
  assert.equal(typeof made['id'], 'number')
  const id = Number(made['id'])
  const read = async (): Promise<string> => JSON.stringify(await client.get(id))
  assert.match(await read(), /first.*kept|kept.*first/)
  assert.equal((await client.edit(id, { name: 'second' }))['id'], id)
  assert.match(await read(), /second.*kept|kept.*second/)
  await client.upsert(String(id), { name: 'third' })
  assert.doesNotMatch(await read(), /kept/)
  const other = await client.upsert(999_999, { name: 'made by put' })
  assert.notEqual(other['id'], 999_999)
  const { total, items } = await client.list({ search: 'third' })
  assert.deepEqual([total, items.map((item) => item['id'])], [1, [id]])
  const all: Record<string, unknown>[] = []
  for await (const item of client.iterate()) all.push(item)
  assert.deepEqual(new Set(all.map((item) => item['id'])), new Set([id, other['id']]))
  await client.delete(id)
  await assert.rejects(client.get(id), { name: 'ApiError', status: 404, message: /404 not-found: Item was not found/ })
  await assert.rejects(client.edit(id, {}), { status: 404 })
  await client.delete(Number(other['id']))
  assert.deepEqual(await client.list(), { total: 0, items: [] })
}

async function batch(client: Client): Promise<void> {
  const made = await client.batch.create([{ name: 'a' }, { name: '' }, { name: 'b' }])
  assert.deepEqual([made.done, made.failed], [2, 1])
  assert.deepEqual(
    made.results.map(({ index, status }) => [index, status]),
    [
      [0, 201],
      [1, 400],
      [2, 201],
    ],
  )
  const ids = made.results.flatMap((result) => ('item' in result ? [Number(result.item['id'])] : []))
  const [first = 0, second = 0] = ids
  const edited = await client.batch.edit([{ id: first, name: 'c' } as { id: number }, { id: 999_999 }])
  assert.deepEqual([edited.done, edited.failed], [1, 1])
  const replaced = await client.batch.upsert([{ id: second, name: 'd' } as { id: number }])
  assert.equal(replaced.done, 1)
  const gone = await client.batch.delete([first, 999_999, second])
  assert.deepEqual([gone.done, gone.failed], [2, 1])
  assert.match(JSON.stringify(gone.results[1]), /"code":"not-found","message":"Item was not found\."/)
  assert.deepEqual(await client.list(), { total: 0, items: [] })
  await assert.rejects(client.batch.create([]), RangeError)
  await assert.rejects(client.batch.delete(Array.from({ length: 201 }, (_, id) => id)), /send it in parts/)
}

function assertAnswer(answer: unknown, { answer: expected }: Extra): void {
  switch (expected.kind) {
    case 'list':
      assert.deepEqual(Object.keys(Object(answer)), ['total', 'items'])
      break
    case 'all':
    case 'items':
      assert.ok(Array.isArray(answer))
      break
    case 'item':
      assert.equal(typeof Object(answer).id, 'number')
      break
    case 'bytes':
      assert.ok(answer instanceof Uint8Array)
      break
    case 'record':
    case 'value':
      assert.ok(typeof answer === 'object' && answer !== null && !Array.isArray(answer))
      break
  }
}
