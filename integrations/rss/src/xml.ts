import { ActionError } from '@sluice/sdk/integration'
import { XMLParser } from 'fast-xml-parser'

/** An element: its children and its attributes (with an @) by name, its text as `#text`. */
export type Node = Readonly<Record<string, unknown>>

const repeated = /^(\w+:)?(item|entry|link|category|author|contributor|creator|subject)$/

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
  maxNestedTags: 100,
  isArray: (name, ...[, , isAttribute]) => !isAttribute && repeated.test(name),
})

/**
 * The root of a document and its name.
 *
 * @throws ActionError for what is no XML, and for a document that defines entities: with a few of them a short text becomes gigabytes
 */
export function parseXml(text: string): { readonly name: string; readonly root: Node } {
  // Before the root; what is hidden from this look meets the parser's own limit of 100 KB.
  if (/<!ENTITY|<!DOCTYPE[^>]*\[/i.test(text.slice(0, text.search(/<[a-z_]/i))))
    throw new ActionError('the feed defines entities of its own, which is refused: it could be a bomb')
  const [name, root] = Object.entries(parse(text)).find(([key]) => !key.startsWith('?') && key !== '#text') ?? []
  if (name === undefined || typeof root !== 'object' || root === null)
    throw new ActionError('there is no XML at this address')
  return { name, root: root as Node } // an element with children
}

function parse(text: string): Record<string, unknown> {
  try {
    return parser.parse(quoteXhtml(text)) as Record<string, unknown> // an object by its documentation
  } catch (error) {
    throw new ActionError(`the feed cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Atom may hold XHTML as elements: it is kept as the text that it is. In one pass: a feed may be hostile. */
function quoteXhtml(text: string): string {
  const parts: string[] = []
  let done = 0
  for (const { 0: open, 1: name = '', index } of text.matchAll(/<((?:\w+:)?(?:content|summary|title))\s[^<>]*>/g)) {
    if (index < done || open.endsWith('/>') || !/\stype\s*=\s*["']xhtml["']/.test(open)) continue
    const from = index + open.length
    const to = text.indexOf(`</${name}`, from)
    if (to < 0) break
    const inner = text.slice(from, to).trim().replaceAll(']]>', ']]]]><![CDATA[>')
    parts.push(text.slice(done, from), `<![CDATA[${inner}]]>`)
    done = to
  }
  return parts.join('') + text.slice(done)
}

/** The text of an element, of an attribute, or of the first of several; undefined where there is none. */
export function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return textOf(value[0])
  const text = typeof value === 'object' && value !== null ? (value as Node)['#text'] : value
  const trimmed = typeof text === 'string' ? text.trim() : ''
  return trimmed === '' ? undefined : trimmed
}

export const nodesOf = (value: unknown): Node[] => {
  const all: unknown[] = Array.isArray(value) ? value : [value]
  return all.flatMap((one) => {
    if (typeof one === 'string') return [{ '#text': one }]
    return typeof one === 'object' && one !== null ? [one as Node] : []
  })
}
