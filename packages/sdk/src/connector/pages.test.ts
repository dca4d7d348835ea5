import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createClock, createVendor, type Vendor, type VendorRequest } from '../testing.ts'
import { toCreateHttp, type ConnectorHttp } from './http.ts'
import { createLog } from './log.ts'
import { cursorPages, keysetPages, linkPages, nextUrlPages, numberedPages, offsetPages, timeWindows } from './pages.ts'
import { createTally } from './tally.ts'

let vendor: Vendor
let api: ConnectorHttp
let tally = createTally()

before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())
beforeEach(() => {
  tally = createTally()
  const clock = createClock()
  const way = { signal: new AbortController().signal, nowMs: clock.nowMs, sleep: clock.sleep, random: () => 0 }
  const http = toCreateHttp({ ...way, dispatcher: undefined, log: createLog(() => {}, []), tally: tally.http })
  api = http({ baseUrl: vendor.url, retryDelaysMs: [] })
})

const ids = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => ({ id: from + index }))
const number = ({ query }: VendorRequest, name: string, absent = 0): number => Number(query.get(name) ?? absent)

/** The ids of each page. */
async function collect(pages: AsyncIterable<{ readonly rows: readonly object[] }>): Promise<unknown[][]> {
  const found: unknown[][] = []
  for await (const { rows } of pages) found.push(rows.map((row) => (row as { id: unknown }).id))
  return found
}

test('offset: goes on after the rows that came, and ends at an empty page only', async () => {
  vendor.on('GET /a', (request) => {
    const offset = number(request, 'offset')
    return { json: { data: ids(offset, Math.min(offset + 2, 5)) } }
  })
  assert.deepEqual(await collect(offsetPages(api, '/a', { limit: 100 })), [[0, 1], [2, 3], [4]])
  assert.equal(tally.http.pages, 4)
  assert.deepEqual(await collect(offsetPages(api, '/a', { limit: 100, offset: 4 })), [[4]])
})

test('offset: a service that ignores it is found out', async () => {
  vendor.on('GET /a', { json: ids(0, 3) })
  await assert.rejects(collect(offsetPages(api, '/a', { limit: 3 })), {
    kind: 'remote',
    message: '/a: the same page came twice; the service ignores where to go on',
  })
})

test('numbers: other names, and where the rows are', async () => {
  vendor.on('GET /a', (request) => ({
    json: {
      result: { items: ids(number(request, 'p') * 10, number(request, 'p') < 2 ? number(request, 'p') * 10 + 1 : 0) },
    },
  }))
  const options = { page: 0, pageParam: 'p', rows: 'result.items', params: { all: true } }
  assert.deepEqual(await collect(numberedPages(api, '/a', options)), [[0], [10]])
  assert.equal(vendor.requests.at(-1)?.query.get('all'), 'true')
})

test('cursor: an empty page is not the last, and a cursor that comes again is a circle', async () => {
  const pages: Record<string, unknown> = {
    '': { data: ids(0, 1), next: 'x' },
    x: { data: [], next: 'y' },
    y: { data: ids(1, 2), next: null },
  }
  vendor.on('GET /a', ({ query }) => ({ json: pages[query.get('cursor') ?? ''] }))
  assert.deepEqual(await collect(cursorPages(api, '/a', { cursorPath: 'next' })), [[0], [], [1]])
  pages['y'] = { data: ids(1, 2), next: 'x' }
  await assert.rejects(collect(cursorPages(api, '/a', { cursorPath: 'next' })), /the pages go round in a circle/)
})

test('next address and Link: they are followed as they are, and end where there is none', async () => {
  vendor.on('GET /a', ({ query }) =>
    query.get('page') === '2'
      ? { json: ids(1, 2), headers: { link: `<${vendor.url}/a?page=1>; rel="prev"` } }
      : {
          json: ids(0, 1),
          headers: {
            link: `<${vendor.url}/a?page=1>; rel="prev", <${vendor.url}/a?page=2&x=a,b>; title="on"; rel="last next"`,
          },
        },
  )
  assert.deepEqual(await collect(linkPages(api, '/a')), [[0], [1]])
  vendor.on('GET /b', ({ query }) => ({
    json: {
      data: ids(number({ query } as VendorRequest, 'n'), number({ query } as VendorRequest, 'n') + 1),
      links: { next: query.get('n') === '1' ? null : '/b?n=1' },
    },
  }))
  assert.deepEqual(await collect(nextUrlPages(api, '/b', { urlPath: 'links.next' })), [[0], [1]])
})

test('keyset: by the last row; rows of one key that fill a page are found out', async () => {
  vendor.on('GET /a', (request) => ({
    json: ids(number(request, 'after', -1) + 1, Math.min(5, number(request, 'after', -1) + 3)),
  }))
  assert.deepEqual(await collect(keysetPages(api, '/a', { column: 'id', param: 'after' })), [[0, 1], [2, 3], [4]])
  // This one includes the key itself.
  vendor.on('GET /b', (request) => ({ json: ids(number(request, 'from'), Math.min(3, number(request, 'from') + 2)) }))
  assert.deepEqual(await collect(keysetPages(api, '/b', { column: 'id', param: 'from' })), [[0, 1], [1, 2], [2]])
  vendor.on('GET /c', () => ({ json: [{ id: 7, n: tally.http.pages }, { id: 7 }] }))
  await assert.rejects(collect(keysetPages(api, '/c', { column: 'id', param: 'from' })), /2 rows have the same id, 7/)
  vendor.on('GET /d', { json: [{ name: 'x' }] })
  await assert.rejects(
    collect(keysetPages(api, '/d', { column: 'id', param: 'from' })),
    /the last row of the page has no id/,
  )
})

test('there are no more pages than somebody allows', async () => {
  vendor.on('GET /a', (request) => ({ json: ids(number(request, 'page'), number(request, 'page') + 1) }))
  await assert.rejects(collect(numberedPages(api, '/a', { maxPages: 3 })), /more than 3 pages; raise maxPages/)
})

for (const [what, answer, message] of [
  ['HTML', { text: '<html>' }, /it is text that begins with "<html>"/],
  ['an object without them', { json: { error: 'x' } }, /it is an object with error/],
  ['nothing', { status: 204 }, /it is empty/],
  ['a list of something else', { json: [1] }, /row 1 of the page is no object/],
] as const) {
  test(`rows are not looked for in ${what}`, async () => {
    vendor.on('GET /a', answer)
    await assert.rejects(collect(numberedPages(api, '/a')), { kind: 'remote', message })
  })
}

test('windows of time leave no gap', () => {
  const [from, to] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-03T12:00:00Z')]
  const windows = [...timeWindows({ from, to, stepMs: 86_400_000 })]
  assert.deepEqual(
    windows.map((window) => [
      window.from.toISOString().slice(0, 13),
      window.to.toISOString().slice(0, 13),
      window.isLast,
    ]),
    [
      ['2026-01-01T00', '2026-01-02T00', false],
      ['2026-01-02T00', '2026-01-03T00', false],
      ['2026-01-03T00', '2026-01-03T12', true],
    ],
  )
  assert.deepEqual([...timeWindows({ from: to, to: from, stepMs: 1 })], [])
  assert.throws(() => [...timeWindows({ from, to, stepMs: 0 })], RangeError)
})
