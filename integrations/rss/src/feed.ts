import { createHash } from 'node:crypto'
import { ActionError } from '@sluice/sdk/integration'
import { nodesOf, parseXml, textOf, type Node } from './xml.ts'

export type Item = {
  readonly id: string
  readonly title: string | null
  readonly link: string | null
  /** ISO 8601 */
  readonly published_at: string | null
  readonly author: string | null
  readonly summary: string | null
  readonly content: string | null
  readonly categories: string[]
}

export type Feed = {
  readonly title: string | null
  readonly link: string | null
  readonly description: string | null
  readonly items: readonly Item[]
}

/**
 * Reads RSS 0.9x and 2.0, RSS 1.0 (RDF) and Atom.
 *
 * @param url that links in it are relative to
 * @throws ActionError for what is no feed
 */
export function parseFeed(text: string, url: string): Feed {
  const { name, root } = parseXml(text)
  const local = name.slice(name.indexOf(':') + 1)
  const prefix = name.slice(0, name.length - local.length)
  if (local === 'rss') return readRss(nodesOf(root['channel'])[0] ?? {}, nodesOf(root['channel']), url)
  if (local === 'RDF') return readRss(nodesOf(root['channel'])[0] ?? {}, [root], url)
  if (local === 'feed') return readAtom(root, prefix, url)
  throw new ActionError(`there is no feed at this address: it holds <${name.slice(0, 50)}>`)
}

function readRss(channel: Node, holders: readonly Node[], url: string): Feed {
  const base = baseOf(channel, url)
  return {
    title: textOf(channel['title']) ?? null,
    link: toLink(textOf(channel['link']), base),
    description: textOf(channel['description']) ?? null,
    items: holders.flatMap((holder) => nodesOf(holder['item'])).map((item) => readRssItem(item, baseOf(item, base))),
  }
}

function readRssItem(item: Node, base: string): Item {
  const guid = nodesOf(item['guid'])[0]
  const guidText = textOf(guid)
  const isAddress = guid !== undefined && guid['@isPermaLink'] !== 'false' && /^https?:/.test(guidText ?? '')
  const link = toLink(textOf(item['link']) ?? (isAddress ? guidText : undefined), base)
  const content = textOf(item['content:encoded'])
  const categories = [...nodesOf(item['category']), ...nodesOf(item['dc:subject'])]
  return withId(guidText ?? textOf(item['@rdf:about']), {
    title: textOf(item['title']) ?? null,
    link,
    published_at: toTime(textOf(item['pubDate']) ?? textOf(item['dc:date'])),
    author: textOf(item['dc:creator']) ?? textOf(item['author']) ?? null,
    summary: textOf(item['description']) ?? null,
    content: content ?? null,
    categories: categories.flatMap((category) => textOf(category) ?? []),
  })
}

function readAtom(feed: Node, prefix: string, url: string): Feed {
  const base = baseOf(feed, url)
  const read = createReader(prefix)
  const author = authorOf(feed, read)
  return {
    title: textOf(read(feed, 'title')) ?? null,
    link: atomLink(read(feed, 'link'), base),
    description: textOf(read(feed, 'subtitle')) ?? null,
    items: nodesOf(read(feed, 'entry')).map((entry) => {
      const item = readEntry(entry, read, baseOf(entry, base))
      return { ...item, author: item.author ?? author }
    }),
  }
}

type Read = (node: Node, name: string) => unknown

/** Elements of Atom may have a prefix, which is then that of the root. */
const createReader =
  (prefix: string): Read =>
  (node, name) =>
    node[prefix + name]

function readEntry(entry: Node, read: Read, base: string): Item {
  const categories = nodesOf(read(entry, 'category'))
  return withId(textOf(read(entry, 'id')), {
    title: textOf(read(entry, 'title')) ?? null,
    link: atomLink(read(entry, 'link'), base),
    published_at: toTime(textOf(read(entry, 'published')) ?? textOf(read(entry, 'updated'))),
    author: authorOf(entry, read),
    summary: textOf(read(entry, 'summary')) ?? null,
    content: textOf(read(entry, 'content')) ?? null,
    categories: categories.flatMap((category) => textOf(category['@label']) ?? textOf(category['@term']) ?? []),
  })
}

function authorOf(node: Node, read: Read): string | null {
  const [author] = nodesOf(read(node, 'author'))
  return (author && (textOf(read(author, 'name')) ?? textOf(read(author, 'email')))) ?? null
}

/** The page itself: `alternate`, which is also meant where no relation is said. */
function atomLink(value: unknown, base: string): string | null {
  const links = nodesOf(value)
  const found = links.find((link) => (link['@rel'] ?? 'alternate') === 'alternate') ?? links[0]
  return toLink(textOf(found?.['@href']), base)
}

const baseOf = (node: Node, base: string): string => URL.parse(textOf(node['@xml:base']) ?? '', base)?.href ?? base

/** Whole, and http or https: a feed may say `javascript:` too. */
function toLink(link: string | undefined, base: string): string | null {
  const url = link === undefined ? null : URL.parse(link, base)
  return url && /^https?:$/.test(url.protocol) ? url.href : null
}

function toTime(text: string | undefined): string | null {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}

/** Its own id, else its link, else what it says. */
function withId(own: string | undefined, item: Omit<Item, 'id'>): Item {
  const { title, published_at: at, summary } = item
  return { id: own ?? item.link ?? toDigest(JSON.stringify([title, at, summary])), ...item }
}

/** 96 bits: enough that no two of a feed are taken for one. */
export const toDigest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 16)
