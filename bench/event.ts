/** Bytes of one event as it travels: all have the same length, so that a request's Content-Length never changes. */
export const eventBytes = 1024

/** Texts that events are made from. Different ones in turn, so that no cache and no branch predictor learns one by heart. */
const variantCount = 64

const counterDigits = 12
const eventTypes = ['order.created', 'order.paid', 'order.shipped', 'customer.updated', 'invoice.sent', 'cart.changed']
const words = [
  'amber',
  'basil',
  'cedar',
  'delta',
  'ember',
  'fjord',
  'grove',
  'heath',
  'inlet',
  'jetty',
  'knoll',
  'lagoon',
]

/** An event's text in two halves: what stands between them is a counter of twelve digits, which makes each event its own. */
export type EventParts = {
  readonly eventType: string
  readonly source: string
  readonly subject: string
  readonly prefix: string
  readonly suffix: string
}

const variants: readonly EventParts[] = Array.from({ length: variantCount }, (_, index) => toParts(index))

/** The event with that number, one JSON object of `eventBytes` bytes in one line. */
export function toEventText(counter: number): string {
  const { prefix, suffix } = partsOf(counter)
  return prefix + toCounter(counter) + suffix
}

export function partsOf(counter: number): EventParts {
  const parts = variants[counter % variantCount]
  if (!parts) throw new RangeError(`no event number ${counter}`)
  return parts
}

export function toCounter(counter: number): string {
  return String(counter).padStart(counterDigits, '0')
}

/** The number in an event's text. */
export function counterOf(text: string): number {
  const found = /"n":"(\d{12})"/.exec(text)?.[1]
  if (found === undefined) throw new Error(`not an event of the benchmark: ${text.slice(0, 100)}`)
  return Number(found)
}

function toParts(index: number): EventParts {
  const random = createRandom(index + 1)
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? ''
  const number = (max: number): number => Math.floor(random() * max)
  const eventType = eventTypes[index % eventTypes.length] ?? 'order.created'
  const subject = `order-${number(1e9)}`
  const source = `shop-${pick(words)}`
  const items = Array.from({ length: 3 }, () => ({
    sku: `${pick(words)}-${number(1e6)}`,
    quantity: 1 + number(9),
    price: number(100_000) / 100,
    gift: random() < 0.5,
  }))
  const event = {
    event_type: eventType,
    source,
    subject,
    occurred_at: new Date(1_760_000_000_000 + number(1e10)).toISOString(),
    payload: {
      n: '#',
      customer: { id: number(1e9), name: `${pick(words)} ${pick(words)}`, email: `${pick(words)}@example.com` },
      address: {
        street: `${pick(words)} street ${number(300)}`,
        city: pick(words),
        zip: String(10_000 + number(89_999)),
      },
      items,
      note: '',
    },
  }
  event.payload.note = toFiller(eventBytes - Buffer.byteLength(JSON.stringify(event)) - counterDigits + 1, () =>
    pick(words),
  )
  const [prefix = '', suffix = ''] = JSON.stringify(event).split('#')
  return { eventType, source, subject, prefix, suffix }
}

function toFiller(length: number, next: () => string): string {
  let text = ''
  while (text.length < length) text += `${next()} `
  return text.slice(0, length)
}

/** Mulberry32: the same events in every run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
