import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createContext, type PollRecord } from '@sluice/sdk/integration'
import rss from './integration.ts'

let server: Server
let url: string
let answer: (request: IncomingMessage, response: ServerResponse) => void
let statuses: number[] = []

before(async () => {
  server = createServer((request, response) => {
    answer(request, response)
    statuses.push(response.statusCode)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/blog/feed.xml` // it listens on a port
})
after(() => server.close().closeAllConnections())
beforeEach(() => {
  statuses = []
})

const serve = (body: string | Uint8Array, type = 'application/xml'): void => {
  answer = (_, response) => response.writeHead(200, { 'content-type': type }).end(body)
}
const context = () => createContext({ requestConfig: { max_retries: 0 } })

type Item = Record<string, unknown>
type Feed = { readonly title: string; readonly link: string; readonly items: Item[] }

async function get(): Promise<Feed> {
  const { type, result } = await rss.executeAction('get_feed', { url }, context())
  assert.equal(type, 'action', JSON.stringify(result))
  return (result as { data: Feed }).data
}

async function refusal(): Promise<string> {
  const { type, result } = await rss.executeAction('get_feed', { url }, context())
  assert.equal(type, 'action_error', JSON.stringify(result).slice(0, 500))
  return (result as { message: string }).message
}

async function poll(state: unknown, limit = 50): Promise<{ records: PollRecord[]; state: unknown }> {
  const { type, result } = await rss.executePollingTrigger('new_item', { url, limit }, context(), { state })
  assert.equal(type, 'polling_trigger', JSON.stringify(result))
  return result as { records: PollRecord[]; state: unknown }
}

describe('forms of feeds', () => {
  it('reads RSS 2.0: entities, CDATA, authors, categories, links', async () => {
    serve(`<?xml version="1.0"?><rss version="2.0" xmlns:dc="x" xmlns:content="y" xmlns:media="z"><channel>
      <title>Caf&#233; &amp; Bar</title><link>https://cafe.example/</link>
      <item><title><![CDATA[A <b>bold</b> & new]]></title><link>posts/1?a=1&amp;b=2</link><guid isPermaLink="false">one</guid>
        <pubDate>Sun, 01 Mar 2026 12:00:00 +0100</pubDate><dc:creator>Ann</dc:creator><category>x</category><category>y</category>
        <description>Short &lt;i&gt;text&lt;/i&gt;</description><content:encoded><![CDATA[<p>Long</p>]]></content:encoded>
        <media:title>other</media:title></item>
      <item><guid>https://cafe.example/2</guid><pubDate>soon</pubDate><link>javascript:alert(1)</link></item>
      <item><title>Only a title</title></item></channel></rss>`)
    const { title, link, items } = await get()
    assert.deepEqual([title, link], ['Café & Bar', 'https://cafe.example/'])
    assert.deepEqual(items[0], {
      id: 'one',
      title: 'A <b>bold</b> & new',
      link: new URL('posts/1?a=1&b=2', url).href,
      published_at: '2026-03-01T11:00:00.000Z',
      author: 'Ann',
      summary: 'Short <i>text</i>',
      content: '<p>Long</p>',
      categories: ['x', 'y'],
    })
    assert.deepEqual(
      [items[1]?.['id'], items[1]?.['link'], items[1]?.['published_at']],
      ['https://cafe.example/2', null, null],
    )
    assert.match(String(items[2]?.['id']), /^[\w-]{16}$/)
  })

  it('reads Atom: relations, bases, XHTML, the author of the feed, a prefix', async () => {
    const atom = (
      p: string,
      ns: string,
    ): string => `<${p}feed ${ns} xml:base="https://a.example/x/"><${p}title>T</${p}title>
      <${p}author><${p}name>Ann</${p}name></${p}author><${p}link rel="self" href="feed"/><${p}link href="."/>
      <${p}entry><${p}id>urn:1</${p}id><${p}title type="xhtml"><div>A <b>b</b></div></${p}title><${p}updated>2026-03-01T12:00:00Z</${p}updated>
      <${p}link rel="enclosure" href="a.mp3"/><${p}link rel="alternate" href="1"/><${p}category term="news"/></${p}entry></${p}feed>`
    for (const text of [
      atom('', 'xmlns="http://www.w3.org/2005/Atom"'),
      atom('a:', 'xmlns:a="http://www.w3.org/2005/Atom"'),
    ]) {
      serve(text, 'application/atom+xml')
      const { link, items } = await get()
      const [item] = items
      assert.deepEqual([link, item?.['link'], item?.['id']], ['https://a.example/x/', 'https://a.example/x/1', 'urn:1'])
      assert.deepEqual([item?.['title'], item?.['author']], ['<div>A <b>b</b></div>', 'Ann'])
      assert.deepEqual([item?.['published_at'], item?.['categories']], ['2026-03-01T12:00:00.000Z', ['news']])
    }
  })

  it('reads RDF', async () => {
    serve(`<rdf:RDF xmlns:rdf="r" xmlns:dc="d"><channel rdf:about="c"><title>T</title></channel>
      <item rdf:about="https://r.example/1"><title>One</title><link>https://r.example/1</link><dc:date>2026-03-01</dc:date></item></rdf:RDF>`)
    const { title, items } = await get()
    assert.deepEqual(
      [title, items[0]?.['id'], items[0]?.['published_at']],
      ['T', 'https://r.example/1', '2026-03-01T00:00:00.000Z'],
    )
  })

  it('reads charsets by mark, header and first line', async () => {
    const feed = (encoding: string) =>
      `<?xml version="1.0" encoding="${encoding}"?><rss><channel><title>é</title></channel></rss>`
    serve(Buffer.from(feed('iso-8859-1'), 'latin1'))
    assert.equal((await get()).title, 'é')
    serve(Buffer.from(feed('utf-8'), 'latin1'), 'text/xml; charset=ISO-8859-1')
    assert.equal((await get()).title, 'é')
    serve(Buffer.from(`\ufeff${feed('utf-16')}`, 'utf16le'))
    assert.equal((await get()).title, 'é')
    serve(feed('martian'))
    assert.match(await refusal(), /charset "martian"/)
  })

  it('reads a long feed with entities in each item', async () => {
    const item = `<item><title>${'a &amp; b &lt; '.repeat(20)}</title></item>`
    serve(`<rss><channel><title>T</title>${item.repeat(500)}</channel></rss>`)
    assert.equal((await get()).items.length, 50)
  })
})

describe('what is refused', () => {
  it('bombs, depths, names that are poison, and what is no feed', async () => {
    const bomb =
      '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><rss><channel><title>&b;</title></channel></rss>'
    serve(bomb)
    assert.match(await refusal(), /defines entities/)
    serve('<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss><channel><title>T</title></channel></rss>')
    assert.equal((await get()).title, 'T')
    serve(`<rss>${'<a>'.repeat(100_000)}`)
    assert.match(await refusal(), /nested/)
    serve('<rss><channel><__proto__><title>x</title></__proto__></channel></rss>')
    assert.match(await refusal(), /cannot be read/)
    serve('<html><body>no</body></html>', 'text/html')
    assert.match(await refusal(), /no feed at this address: it holds <html>/)
    for (const text of ['', 'hello', '{"a":1}']) {
      serve(text)
      assert.match(await refusal(), /no XML at this address/)
    }
  })

  it('servers that do not give it', async () => {
    answer = (_, response) => response.writeHead(410).end()
    assert.match(await refusal(), /answered 410/)
    answer = (_, response) => response.writeHead(429, { 'retry-after': '20' }).end()
    assert.match(await refusal(), /pause of 20 seconds/)
  })
})

describe('new_item', () => {
  const feedOf = (numbers: readonly number[]): string => {
    const items = numbers.map((number) => `<item><guid>${number}</guid></item>`)
    return `<rss><channel>${items.join('')}</channel></rss>`
  }
  const publish = (...numbers: number[]): void => {
    const etag = `"${numbers.join()}"`
    answer = ({ headers }, response) =>
      headers['if-none-match'] === etag
        ? response.writeHead(304).end()
        : response.writeHead(200, { etag }).end(feedOf(numbers))
  }
  const idsOf = ({ records }: { records: readonly PollRecord[] }): string => records.map(({ id }) => id).join()

  it('gives each item once, oldest first, and asks only whether there is more', async () => {
    publish(2, 1)
    const first = await poll(null)
    assert.equal(idsOf(first), '1,2')
    const same = await poll(first.state)
    assert.deepEqual([same.records, same.state, statuses.at(-1)], [[], first.state, 304])
    publish(4, 3, 2)
    const second = await poll(same.state)
    assert.equal(idsOf(second), '3,4')
    // One that was gone comes back.
    publish(4, 3, 2, 1)
    assert.equal(idsOf(await poll(second.state)), '')
  })

  it('keeps what is beyond the limit for the next poll', async () => {
    publish(3, 2, 1)
    const first = await poll(null, 1)
    assert.equal(idsOf(first), '3')
    publish(8, 7, 6, 5, 4, 3, 2, 1)
    const second = await poll(first.state, 2)
    const third = await poll(second.state, 2)
    const fourth = await poll(third.state, 2)
    assert.deepEqual([idsOf(second), idsOf(third), idsOf(fourth)], ['4,5', '6,7', '8'])
  })

  it('asks by Last-Modified where there is no tag', async () => {
    const modified = 'Sun, 01 Mar 2026 12:00:00 GMT'
    answer = ({ headers }, response) =>
      headers['if-modified-since'] === modified
        ? response.writeHead(304).end()
        : response.writeHead(200, { 'last-modified': modified }).end(feedOf([1]))
    const { state } = await poll(null)
    await poll(state)
    assert.deepEqual(statuses, [200, 304])
  })
})

// A pattern that is mended away would let through what it is there to refuse.
it('needs no repair of its configuration', () => assert.deepEqual(rss.repairs, []))
