import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ApiError, RateLimitError, TransportError } from '@sluice/client'
import { toContactFields } from './contact-fields.ts'
import { createEsauti } from './esauti.ts'
import type { EsautiOptions } from './options.ts'
import { startInstance, type InstanceOptions, type Turn } from './testing.ts'

async function open(context: TestContext, options: Partial<EsautiOptions> = {}, of: InstanceOptions = {}) {
  const instance = await startInstance(of)
  context.after(() => instance.close())
  const own = { baseUrl: `${instance.url}/api`, token: instance.token, random: () => 0, ...options }
  return { instance, esauti: createEsauti(own) }
}

const refuse = (status: number, body: object | string = '', headers: Record<string, string> = {}): Turn => ({
  status,
  body,
  headers,
})

test('the README of the Python SDK, line by line', async (context) => {
  const { esauti } = await open(context)
  const contacts = await esauti.api.contacts.list({ limit: 10 })
  assert.deepEqual(contacts, { total: 0, items: [] })
  const contact = await esauti.api.contacts.create({ firstname: 'Jane', email: 'jane@esauti.com' })
  assert.equal(contact.id, 1)
  assert.equal(toContactFields(contact)['email'], 'jane@esauti.com')
  assert.equal((await esauti.api.contacts.list({ limit: 10 })).total, 1)
})

test('a base URL with /api, without, with a slash and in a folder leads to the same place', async (context) => {
  const { instance, esauti } = await open(context)
  for (const end of ['', '/', '/api', '/api/']) {
    await esauti.with({ baseUrl: instance.url + end }).api.tags.list()
    assert.equal(instance.seen.at(-1)?.target, '/api/tags')
  }
  await assert.rejects(esauti.with({ baseUrl: `${instance.url}/crm/api` }).api.tags.list(), { status: 404 })
  assert.equal(instance.seen.at(-1)?.target, '/crm/api/tags')
})

test('options that can never work are refused at once', () => {
  const baseUrl = 'https://crm.example.com'
  assert.throws(() => createEsauti({ baseUrl: 'crm.example.com' }), /must be as https:/)
  assert.throws(() => createEsauti({ baseUrl: 'https://jane:secret@crm.example.com' }), /pass them as `basic/)
  assert.throws(() => createEsauti({ baseUrl, token: 'a', basic: { username: 'a', password: 'b' } }), /token, basic/)
  assert.throws(() => createEsauti({ baseUrl, token: 'two words' }), /token is empty or holds characters/)
  assert.throws(() => createEsauti({ baseUrl, token: 'a', timeoutMs: -1 }), RangeError)
  assert.throws(() => createEsauti({ baseUrl }), {
    name: 'TypeError',
    message: /nothing says who is asking: pass token/,
  })
  assert.throws(() => createEsauti({ baseUrl, token: undefined }), /nothing says who is asking/)
  assert.throws(
    () => createEsauti({ baseURL: baseUrl, token: 'a' } as never),
    /createEsauti has no member baseURL; there/,
  )
  createEsauti({ baseUrl, hmacSecret: 'secret' })
})

test('the order of a list by id is the order that was asked for', async (context) => {
  const { esauti } = await open(context)
  for (const firstname of ['Ada', 'Cy', 'Bob']) await esauti.api.contacts.create({ firstname })
  const { items } = await esauti.api.contacts.list({ orderBy: 'firstname', orderByDir: 'desc' })
  assert.deepEqual(
    items.map((contact) => [contact.id, toContactFields(contact)['firstname']]),
    [
      [2, 'Cy'],
      [3, 'Bob'],
      [1, 'Ada'],
    ],
  )
})

test('a query says all that PHP needs', async (context) => {
  const { instance, esauti } = await open(context)
  const where = [{ col: 'email', expr: 'eq', val: 'a+b@c.de' }]
  await esauti.api.contacts.list({
    search: 'is:mine',
    publishedOnly: true,
    minimal: false,
    where,
    order: [{ col: 'id', dir: 'desc' }],
  })
  const { searchParams } = new URL(instance.seen.at(-1)?.target ?? '', instance.url)
  assert.deepEqual(Object.fromEntries(searchParams), {
    search: 'is:mine',
    publishedOnly: '1',
    published: '1',
    minimal: '0',
    'where[0][col]': 'email',
    'where[0][expr]': 'eq',
    'where[0][val]': 'a+b@c.de',
    'order[0][col]': 'id',
    'order[0][dir]': 'desc',
  })
})

test('iterating passes a highest page size, a start, and an end that is empty', async (context) => {
  const { instance, esauti } = await open(context, {}, { pageMax: 7 })
  await esauti.api.tags.batch.create(Array.from({ length: 20 }, (_, n) => ({ tag: `t${n}` })))
  const seen: number[] = []
  for await (const { id } of esauti.api.tags.iterate()) seen.push(id)
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_, n) => n + 1),
  )
  assert.equal(instance.seen.filter(({ method }) => method === 'GET').length, 3)
  const rest: number[] = []
  for await (const { id } of esauti.api.tags.iterate({ start: 15, limit: 2 })) rest.push(id)
  assert.deepEqual(rest, [16, 17, 18, 19, 20])

  // The last page went away while the one before was being read.
  instance.meet(refuse(200, '{"total":"3","tags":[{"id":1},{"id":2}]}'), refuse(200, '{"total":"3","tags":[]}'))
  let count = 0
  for await (const _ of esauti.api.tags.iterate()) count += 1
  assert.equal(count, 2)
  // A list without a total, and without pages.
  instance.meet(refuse(200, '{"tags":[{"id":1},{"id":2}]}'), refuse(200, '{"tags":[{"id":1},{"id":2}]}'))
  for await (const _ of esauti.api.tags.iterate()) count += 1
  assert.equal(count, 4)
})

test('refusals in each form that eSauti has', async (context) => {
  const { instance, esauti } = await open(context)
  const ask = (body: object | string): Promise<unknown> => {
    instance.meet(refuse(403, body))
    return esauti.api.tags.list()
  }
  const message = /^GET \/api\/tags answered 403 /
  await assert.rejects(ask({ error: { message: 'Not yours', code: 403 } }), { message, errorCode: 'forbidden' })
  await assert.rejects(ask({ errors: [{ message: 'A', code: 'x' }, { message: 'B' }] }), { message: /x: A; B/ })
  await assert.rejects(ask({ errors: { 4: { message: 'By key', code: 4 } } }), { message: /403 4: By key/ })
  await assert.rejects(ask({ error: 'access_denied', error_description: 'No' }), { errorCode: 'access_denied' })
  await assert.rejects(ask('<html>'), { message: /403, and no explanation/, errorCode: undefined })
  await assert.rejects(esauti.api.contacts.create({ email: 'jane' }), (error: unknown) => {
    assert.ok(error instanceof ApiError)
    assert.equal(error.status, 400)
    assert.match(error.message, /email: The email is invalid\./)
    assert.deepEqual(error.problem?.details, { email: ['The email is invalid.'] })
    return true
  })
})

test('a refusal that comes as a 200 is one, and what it says besides is kept', async (context) => {
  const { instance, esauti } = await open(context)
  instance.meet(refuse(200, { errors: [{ message: 'No such column', code: 0, details: ['one', 'two'] }] }))
  await assert.rejects(esauti.api.stats.list('page_hits', { limit: 1 }), (error: unknown) => {
    assert.ok(error instanceof ApiError)
    assert.equal(error.message, 'GET /api/stats/page_hits answered 200 refused: No such column')
    assert.deepEqual(error.problem?.details, { reasons: ['one', 'two'] })
    return true
  })
})

test('reading is tried again, and making only where nothing was done', async (context) => {
  const { instance, esauti } = await open(context)
  instance.meet('reset', refuse(500), refuse(429, '', { 'Retry-After': '0' }))
  assert.deepEqual(await esauti.api.tags.list(), { total: 0, items: [] })
  assert.equal(instance.seen.length, 4)
  instance.meet(refuse(503), refuse(429))
  await esauti.api.tags.create({ tag: 'a' })
  assert.equal(instance.seen.length, 7)
  instance.meet('reset')
  await assert.rejects(esauti.api.tags.create({ tag: 'b' }), TransportError)
  instance.meet(refuse(500))
  await assert.rejects(esauti.api.tags.create({ tag: 'b' }), { name: 'ApiError', status: 500 })
  instance.meet('reset')
  await assert.rejects(esauti.api.smses.sendToContact(1, 2), TransportError)
  assert.equal(instance.seen.length, 10)
  instance.meet('reset')
  await esauti.api.tags.edit(1, { tag: 'c' })
  assert.equal(instance.seen.length, 12)
  instance.meet(refuse(429, '', { 'Retry-After': '600' }))
  await assert.rejects(
    esauti.api.tags.list(),
    (error: unknown) => error instanceof RateLimitError && error.retryAfter === 600,
  )
})

test('a page that is no JSON, and an answer of another kind, say what is wrong', async (context) => {
  const { instance, esauti } = await open(context, { maxRetries: 0 })
  instance.meet(refuse(200, '<!DOCTYPE html><title>Login</title>'))
  await assert.rejects(esauti.api.tags.list(), /begins "<!DOCTYPE html>.*is baseUrl that of the instance/)
  instance.meet(refuse(200, { hello: 'there' }))
  await assert.rejects(esauti.api.tags.list(), /should answer with "tags"; it answered with hello/)
})

test('a redirect is not followed, and says where it leads', async (context) => {
  const other = await startInstance()
  context.after(() => other.close())
  const { instance, esauti } = await open(context)
  instance.meet(refuse(302, '', { Location: `${other.url}/api/tags` }))
  await assert.rejects(esauti.api.tags.list(), { status: 302, message: /has moved to .*set baseUrl to the new one/ })
  assert.equal(other.seen.length, 0)
})

test('an id cannot lead elsewhere', async (context) => {
  const { instance, esauti } = await open(context)
  await assert.rejects(esauti.api.contacts.get('../users/self'), { status: 404 })
  assert.equal(instance.seen.at(-1)?.target, '/api/contacts/..%2Fusers%2Fself')
  await assert.rejects(esauti.api.contacts.get('..'), TypeError)
  await assert.rejects(esauti.api.contacts.get(''), TypeError)
})

test('an abort, and a timeout, end a call', async (context) => {
  const { instance, esauti } = await open(context, { maxRetries: 0 })
  const stop = new AbortController()
  instance.meet('hang', 'hang')
  const asked = esauti.api.tags.list({}, { signal: stop.signal })
  stop.abort(new Error('enough'))
  await assert.rejects(asked, { message: 'enough' })
  await assert.rejects(esauti.api.tags.list({}, { timeoutMs: 20 }), { name: 'TransportError', message: /within 20 ms/ })
})

test('contacts: tags come off, points add up, and segments show', async (context) => {
  const { api } = (await open(context)).esauti
  const { id } = await api.contacts.create({ firstname: 'Jane', tags: ['new', 'vip'] })
  const { tags } = await api.contacts.edit(id, { tags: ['-new'] })
  assert.deepEqual(tags, [{ tag: 'vip' }])
  await api.contacts.addPoints(id, 10, { eventName: 'won' })
  await api.contacts.subtractPoints(id, 3)
  assert.equal((await api.contacts.get(id)).points, 7)
  const segment = await api.segments.create({ name: 'Customers' })
  await api.segments.addContact(segment.id, id)
  assert.deepEqual(
    (await api.contacts.segments(id)).items.map(({ name }) => name),
    ['Customers'],
  )
  await api.segments.removeContact(segment.id, id)
  assert.deepEqual(await api.contacts.segments(id), { total: 0, items: [] })
  assert.deepEqual((await api.contacts.addDoNotContact(id, 'email', { reason: 3 })).doNotContact, [
    { channel: 'email', reason: 3 },
  ])
})

test('files arrive whole, whatever is in them, and a theme comes as bytes', async (context) => {
  const { instance, esauti } = await open(context)
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
  assert.deepEqual(await esauti.api.files.list('images'), [])
  const file = await esauti.api.files.create('images', { name: 'all.bin', content: bytes })
  assert.deepEqual(file, { name: 'all.bin', link: '/media/images/all.bin', size: 256 })
  assert.ok(instance.seen.at(-1)?.body.includes(Buffer.from(bytes)))
  assert.deepEqual(await esauti.api.files.list('images'), ['all.bin'])
  assert.deepEqual(await esauti.api.themes.get('blank'), Uint8Array.of(80, 75, 0, 255))
})

test('what the table lacks can be asked for as it is', async (context) => {
  const { instance, esauti } = await open(context)
  const answer = await esauti.request({ method: 'GET', path: '/api/contacts', query: { limit: 1 } })
  assert.deepEqual(answer, { total: '0', contacts: [] })
  assert.equal(instance.seen.at(-1)?.target, '/api/contacts?limit=1')
  await assert.rejects(esauti.request({ method: 'GET', path: '.example.com/' }), /path must begin with \//)
})

test('a list is asked by what there is, and not by what eSauti would pass over', async (context) => {
  const { instance, esauti } = await open(context)
  const wrong = { limt: 3 } as never
  await assert.rejects(esauti.api.contacts.list(wrong), {
    name: 'TypeError',
    message: /has no member limt; there are limit/,
  })
  assert.throws(() => esauti.api.contacts.iterate(wrong), /has no member limt/)
  assert.equal(instance.seen.length, 0)
})
