import type { WebhookScheme } from '@sluice/client/webhooks'
import type { Answer, CheckOptions, Shoot, Target } from './receiver.ts'

export type Verdict = 'pass' | 'warn' | 'fail' | 'skipped'

/** `status` and `ms` are those of the last answer. */
export type Finding = { readonly verdict: Verdict; readonly detail: string; readonly answer?: Answer }

type Kit = { readonly shoot: Shoot; readonly target: Target; readonly options: CheckOptions }

export type Case = {
  readonly name: string
  /** Why it cannot be tried with this scheme. */
  readonly skip?: (scheme: WebhookScheme) => string | undefined
  readonly run: (kit: Kit) => Promise<Finding>
}

const encoder = new TextEncoder()
let counter = 0
/** A message like those of Standard Webhooks, each with another number. */
const toMessage = (rest: object = {}): Uint8Array =>
  encoder.encode(
    JSON.stringify({
      type: 'sluice.check',
      timestamp: new Date(0).toISOString(),
      data: { number: (counter += 1), ...rest },
    }),
  )

/** Blanks, order, escapes and numbers that no library prints like this again. */
const oddMessage = encoder.encode(
  '{ "type":"sluice.check",\n\t"z":1.0, "a":"\\u00e9\\/ \u{1f600}", "n":10000000000000000000000, "data": { } }\n',
)

const describeAnswer = (answer: Answer): string =>
  answer.status === null ? answer.error : `it answered ${answer.status}`

/** For what must be taken. */
function taken(answer: Answer, why: string): Finding {
  const { status } = answer
  if (status !== null && status >= 200 && status < 300) return { verdict: 'pass', detail: 'taken', answer }
  const redirect = status !== null && status >= 300 && status < 400 ? '; senders do not follow redirects' : ''
  return { verdict: 'fail', detail: `${why}: ${describeAnswer(answer)}${redirect}`, answer }
}

/** For what must not be taken. */
function refused(answer: Answer, why: string): Finding {
  const { status } = answer
  if (status !== null && status >= 400 && status < 500)
    return { verdict: 'pass', detail: `refused with ${status}`, answer }
  if (status !== null && status < 400)
    return { verdict: 'fail', detail: `${why}, and ${describeAnswer(answer)}`, answer }
  return {
    verdict: 'fail',
    detail: `it must be refused with 401, so that nobody sends it again: ${describeAnswer(answer)}`,
    answer,
  }
}

/** For what may be too much: what counts is that it says so. */
function survived(answer: Answer, what: string): Finding {
  const { status } = answer
  if (status !== null && ((status >= 200 && status < 300) || status === 413))
    return { verdict: 'pass', detail: status === 413 ? 'refused with 413' : 'taken', answer }
  if (status !== null && status < 500)
    return { verdict: 'warn', detail: `${what} is refused with 413; ${describeAnswer(answer)}`, answer }
  if (status === null && !answer.error.startsWith('no answer'))
    return {
      verdict: 'warn',
      detail: `it closed the connection without an answer (${answer.error}); answer 413`,
      answer,
    }
  return { verdict: 'fail', detail: `${what} must not upset it: ${describeAnswer(answer)}`, answer }
}

const unsigned = new Set<WebhookScheme>(['none'])
const untimed = new Set<WebhookScheme>(['none', 'basic', 'github', 'shopify', 'hmac'])
const unread = new Set<WebhookScheme>(['none', 'basic'])
const skipFor =
  (schemes: ReadonlySet<WebhookScheme>, why: string) =>
  (scheme: WebhookScheme): string | undefined =>
    schemes.has(scheme) ? why : undefined
const needsSignature = skipFor(unread, 'the scheme signs nothing')
const needsTime = skipFor(untimed, 'the scheme signs no time')
const staleMs = 660_000

/** In the order in which they are tried. */
export const cases: readonly Case[] = [
  {
    name: 'good',
    run: async ({ shoot }) => taken(await shoot({ body: toMessage() }), 'it must take what is signed right'),
  },
  {
    name: 'odd-bytes',
    skip: needsSignature,
    run: async ({ shoot }) => {
      const finding = taken(await shoot({ body: oddMessage }), 'it must verify the bytes as they came')
      const hint = '. It seems to parse the body and to print it anew before it verifies'
      return finding.verdict === 'pass' ? finding : { ...finding, detail: `${finding.detail}${hint}` }
    },
  },
  {
    name: 'wrong-secret',
    skip: skipFor(unsigned, 'the scheme has no secret'),
    run: async ({ shoot, target }) =>
      refused(
        await shoot({ body: toMessage(), secrets: [toOther(target)] }),
        'it took what was signed with another secret',
      ),
  },
  {
    name: 'changed-body',
    skip: needsSignature,
    run: async ({ shoot }) =>
      refused(
        await shoot({ body: toMessage(), sent: toMessage() }),
        'it took a body that was changed after it was signed',
      ),
  },
  {
    name: 'unsigned',
    skip: skipFor(unsigned, 'the scheme signs nothing'),
    run: async ({ shoot }) =>
      refused(await shoot({ body: toMessage(), change: () => ({}) }), 'it took what was not signed at all'),
  },
  {
    name: 'stale',
    skip: needsTime,
    run: async ({ shoot }) =>
      refused(
        await shoot({ body: toMessage(), aheadMs: -staleMs }),
        'it took what was signed eleven minutes ago: whoever listens can send it again',
      ),
  },
  {
    name: 'from-the-future',
    skip: needsTime,
    run: async ({ shoot }) =>
      refused(await shoot({ body: toMessage(), aheadMs: staleMs }), 'it took what is signed eleven minutes ahead'),
  },
  {
    name: 'rotation',
    skip: (scheme) =>
      scheme === 'standard-webhooks' || scheme === 'stripe' ? undefined : 'the scheme has one signature',
    run: async ({ shoot, target }) =>
      taken(
        await shoot({ body: toMessage(), secrets: [toOther(target), target.secret] }),
        'while secrets are rotated one of several signatures is right',
      ),
  },
  {
    name: 'duplicate',
    run: async ({ shoot, options }) => {
      const shot = { body: toMessage(), id: options.newId() }
      const first = taken(await shoot(shot), 'it must take what is signed right')
      if (first.verdict !== 'pass') return first
      return taken(
        await shoot(shot),
        'a sender that has not seen the answer sends the same again, and must be told that all is well',
      )
    },
  },
  {
    name: 'reordered',
    run: async ({ shoot }) => {
      const [older, newer] = [toMessage(), toMessage()]
      const first = taken(await shoot({ body: newer }), 'it must take what is signed right')
      if (first.verdict !== 'pass') return first
      return taken(await shoot({ body: older, aheadMs: -60_000 }), 'an earlier message may come after a later one')
    },
  },
  {
    name: 'chunked',
    run: async ({ shoot }) =>
      taken(await shoot({ body: toMessage(), manner: 'chunked' }), 'a body may come without its length'),
  },
  {
    name: 'slow',
    run: async ({ shoot }) =>
      taken(
        await shoot({ body: toMessage({ text: 'x'.repeat(2000) }), manner: 'slow' }),
        'it must wait for the whole body',
      ),
  },
  {
    name: 'cut-off',
    run: async ({ shoot }) => {
      const cut = await shoot({ body: toMessage({ text: 'x'.repeat(2000) }), manner: 'cut off' })
      if (cut.status !== null && cut.status < 400)
        return { verdict: 'fail', detail: `it took half a body: ${describeAnswer(cut)}`, answer: cut }
      return taken(await shoot({ body: toMessage() }), 'half a body must not upset it')
    },
  },
  { name: 'empty', run: async ({ shoot }) => noCrash(await shoot({ body: new Uint8Array(0) })) },
  {
    name: 'large',
    run: async ({ shoot }) =>
      survived(await shoot({ body: toMessage({ text: 'x'.repeat(256 * 1024) }) }), 'a quarter of a MiB'),
  },
  {
    name: 'huge',
    run: async ({ shoot, options }) => {
      const { hugeBytes } = options
      const finding = survived(
        await shoot({ body: toMessage({ text: 'x'.repeat(hugeBytes) }) }),
        `a body of ${hugeBytes} bytes`,
      )
      if (finding.verdict === 'fail') return finding
      const after = taken(await shoot({ body: toMessage() }), 'a huge body must not upset it')
      return after.verdict === 'pass' ? finding : after
    },
  },
]

const noCrash = (answer: Answer): Finding =>
  answer.status !== null && answer.status < 500
    ? { verdict: 'pass', detail: describeAnswer(answer), answer }
    : { verdict: 'fail', detail: `a body of no bytes must not upset it: ${describeAnswer(answer)}`, answer }

/** A secret of the same kind that nobody has. */
const toOther = ({ scheme, secret }: Target): string => {
  if (scheme === 'basic') return `${secret}x`
  return scheme === 'standard-webhooks'
    ? `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
    : `x${secret}`
}
