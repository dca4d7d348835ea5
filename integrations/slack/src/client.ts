import { ActionError, HTTPError, RateLimitError, type Context, type FetchOptions } from '@sluice/sdk/integration'

type SlackAnswer = {
  readonly ok: boolean
  readonly error?: string
  readonly needed?: string
  readonly provided?: string
  readonly response_metadata?: { readonly messages?: readonly string[] }
}

export type Slack = {
  /** What Slack answers. @throws ActionError that says in words why Slack did not do it */
  readonly call: <Answer>(method: string, options: Pick<FetchOptions, 'params' | 'json'>) => Promise<Answer>
}

const publicApi = 'https://slack.com/api'

/**
 * Slack's Web API with the token of a context: an argument object as JSON posts, without one it is read.
 *
 * @example const { team } = await createSlack(context).call('auth.test', { json: {} })
 */
export function createSlack(context: Context): Slack {
  const { access_token: granted, bot_token: token = granted, base_url: baseUrl } = context.auth.credentials
  const base = (typeof baseUrl === 'string' && baseUrl !== '' ? baseUrl : publicApi).replace(/\/+$/, '')
  const secretHeaders = { authorization: `Bearer ${String(token)}` }
  return {
    call: async <Answer>(method: string, options: Pick<FetchOptions, 'params' | 'json'>) => {
      const posts = options.json !== undefined
      // Slack asks for the charset, and warns in each answer without it.
      const contentType = posts ? 'application/json; charset=utf-8' : undefined
      const request = { ...options, method: posts ? 'POST' : 'GET', contentType, secretHeaders }
      const answer = await asked(method, () => context.fetch<SlackAnswer | null>(`${base}/${method}`, request))
      if (answer?.ok === true) return answer as Answer // as Slack's page on the method says
      throw new ActionError(toWords(method, answer))
    },
  }
}

async function asked<Data>(method: string, ask: () => Promise<{ readonly data: Data }>): Promise<Data> {
  try {
    return (await ask()).data
  } catch (error) {
    if (error instanceof RateLimitError)
      throw new ActionError(
        `Slack asks for a pause of ${error.retryAfter} seconds before the next ${method} (ratelimited)`,
      )
    if (error instanceof HTTPError)
      throw new ActionError(`Slack answered ${error.status} for ${method}; try again later`)
    throw error
  }
}

/** Those that people meet, in words. The code stands behind: it is what Slack's pages are searched by. */
const words: Readonly<Record<string, string>> = {
  channel_not_found:
    'there is no such channel, or the app may not see it; name its id, and invite the app if it is private',
  not_in_channel: 'the app is not in the channel; invite it there',
  is_archived: 'the channel is archived',
  msg_too_long: 'the text is too long; 4,000 characters are good, 40,000 the most',
  no_text: 'there is neither text nor blocks',
  invalid_blocks: 'the blocks are not as Slack wants them',
  invalid_auth: 'the token is not valid; connect again',
  not_authed: 'no token was sent; connect again',
  account_inactive: 'the token belongs to a user or workspace that is gone; connect again',
  token_revoked: 'the token was revoked; connect again',
  token_expired: 'the token has expired; connect again',
  message_not_found: 'there is no message with that ts in the channel',
  cant_update_message: 'the app may change its own messages only',
  edit_window_closed: 'the message is too old to be changed in this workspace',
  restricted_action: 'a setting of the workspace forbids it',
  missing_scope: 'the token lacks a scope',
  ratelimited: 'too many requests; try again in a minute',
  invalid_cursor: 'the cursor is not one of this list; begin again without it',
  fatal_error: 'Slack failed, and may have done it all the same; look before it is tried again',
  internal_error: 'Slack failed, and may have done it all the same; look before it is tried again',
  service_unavailable: 'Slack is away; try again later',
}

function toWords(method: string, answer: SlackAnswer | null): string {
  const code = answer?.error ?? 'no answer that can be read'
  const scope = answer?.needed === undefined ? '' : `; needed is ${answer.needed}, it has ${answer.provided ?? 'none'}`
  const details = (answer?.response_metadata?.messages ?? []).map((message) => `; ${message}`).join('')
  const known = Object.hasOwn(words, code) ? `${words[code]} (${code})` : code
  return `Slack did not do ${method}: ${known}${scope}${details}`
}
