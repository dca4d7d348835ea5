import type { SourceHandshake } from '@sluice/protocol'
import { isObject } from '../json-text.ts'

type Asked = { readonly body: Buffer }

/** Longer ones are no questions of a sender. */
const challengeMax = 1000

/**
 * The answer to a signed message that only asks whether this is the right place: Slack sends one for each address, with a text that
 * it wants back.
 */
export function answerHandshake(handshake: SourceHandshake, { body }: Asked): unknown {
  if (handshake !== 'slack' || body.length > 10 * challengeMax || !body.includes('url_verification')) return undefined
  const value = parse(body.toString())
  if (!isObject(value) || value['type'] !== 'url_verification') return undefined
  const { challenge } = value
  return typeof challenge === 'string' && challenge.length <= challengeMax ? { challenge } : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const names = ['challenge', 'hub.challenge', 'validationToken']

/** What a sender that asks with GET wants back, as text; undefined if that is not agreed, or nothing is asked. */
export function answerChallenge(handshake: SourceHandshake, query: string): string | undefined {
  if (handshake !== 'challenge') return undefined
  const asked = new URLSearchParams(query)
  const found = names.map((name) => asked.get(name)).find((text) => text !== null)
  return found !== undefined && found !== null && found.length <= challengeMax ? found : undefined
}

/** Fields that allow a sender of CloudEvents to send, at any rate; undefined if that is not agreed, or not asked for. */
export function permitOrigin(
  handshake: SourceHandshake,
  header: (name: string) => string | undefined,
): Record<string, string> | undefined {
  const origin = header('webhook-request-origin')
  if (handshake !== 'cloudevents' || origin === undefined || !/^[\w.:/*-]{1,255}$/.test(origin)) return undefined
  return { 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*', allow: 'POST, OPTIONS' }
}
