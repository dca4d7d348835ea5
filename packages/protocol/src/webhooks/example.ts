import { utf8 } from './bytes.ts'
import type { HmacSigning, WebhookScheme } from './scheme.ts'
import { signMessage } from './sign.ts'

type Example = { readonly headers?: Readonly<Record<string, string>>; readonly body: Record<string, unknown> }

/** What each sender sends, in short. @param id new each time */
const examples: Readonly<Record<WebhookScheme, (id: string, at: Date) => Example>> = {
  'standard-webhooks': (_id, at) => ({
    body: { type: 'contact.created', timestamp: at.toISOString(), data: { id: '42', name: 'Ada' } },
  }),
  github: (id) => ({
    headers: { 'x-github-event': 'ping', 'x-github-delivery': id },
    body: { zen: 'Keep it logically awesome.', hook_id: 42, hook: { type: 'Repository', events: ['push'] } },
  }),
  stripe: (id) => ({
    body: { id: `evt_${id}`, object: 'event', type: 'customer.created', data: { object: { id: 'cus_42' } } },
  }),
  slack: (id) => ({
    body: {
      type: 'event_callback',
      event_id: `Ev${id}`,
      team_id: 'T42',
      event: { type: 'app_mention', text: 'hello' },
    },
  }),
  shopify: (id) => ({
    headers: {
      'x-shopify-topic': 'orders/create',
      'x-shopify-webhook-id': id,
      'x-shopify-shop-domain': 'example.myshopify.com',
    },
    body: { id: 42, name: '#1001', total_price: '10.00' },
  }),
  esauti: (id, at) => ({
    body: {
      type: 'order.created',
      occurred_at: at.toISOString(),
      external_event_id: id,
      properties: { order_id: '42' },
    },
  }),
  hmac: () => ({ body: { message: 'an example' } }),
  basic: () => ({ body: { message: 'an example' } }),
  none: () => ({ body: { message: 'an example' } }),
}

/** What decides what an example holds; a source of the wire fits. */
export type ExampleSource = {
  readonly scheme: WebhookScheme
  readonly hmac?: HmacSigning | null
  readonly event_type: object | null
  readonly id: object | null
}

export type ExampleOptions = {
  /** none for scheme `none` */
  readonly secret?: string | undefined
  /** of the message, new each time */
  readonly id: string
  readonly nowMs: number
  /** path of the address, and the whole of it */
  readonly target: string
  readonly url: string
}

/**
 * A request as the sender of a source would make it.
 *
 * @throws TypeError for a secret that cannot sign
 */
export async function createExample(
  source: ExampleSource,
  { secret, id, nowMs, target, url }: ExampleOptions,
): Promise<{ headers: Record<string, string>; body: string }> {
  const { scheme, hmac } = source
  const example = examples[scheme](id, new Date(nowMs))
  const body = JSON.stringify(example.body)
  const secrets = secret === undefined ? [] : [secret]
  const signed = await signMessage({ scheme, hmac, secrets, body: utf8(body), nowMs, id, target, url })
  return {
    headers: { 'content-type': 'application/json', ...ruleHeaders(source, id), ...example.headers, ...signed },
    body,
  }
}

/** Fields that the source's own rules look at. */
function ruleHeaders({ event_type: type, id: idRule }: ExampleSource, id: string): Record<string, string> {
  const of = (rule: object | null, value: string): Record<string, string> =>
    rule !== null && 'header' in rule ? { [String(rule.header).toLowerCase()]: value } : {}
  return { ...of(type, 'example'), ...of(idRule, id) }
}
