import type { RequestOptions } from '@sluice/client'
import { createRest, type Call, type Rest } from '@sluice/client/rest'
import { authorize, createFixed, type Credentials } from './authorize.ts'
import { createEvents, type Events } from './events.ts'
import { createOAuth } from './oauth.ts'
import {
  checkCredentials,
  checkNames,
  toFixedHeader,
  toInstanceUrl,
  toRestOptions,
  type EsautiOptions,
} from './options.ts'
import { parseMarked, unmark } from './php-json.ts'
import { parseProblem } from './problem.ts'
import { toParameters } from './query.ts'
import { createResource } from './resource.ts'
import type { Resource } from './spec.ts'
import { table } from './table.ts'

const signatureFields = { timestamp: 'x-esauti-timestamp', signature: 'x-esauti-signature' }

/** Every resource, by name. */
export type Api = { readonly [Name in keyof typeof table]: Resource<(typeof table)[Name]> }

/** A call that the table does not have. */
export type ApiCall = Pick<Call, 'method' | 'path' | 'body'> & {
  readonly query?: Readonly<Record<string, unknown>> | undefined
  /** doing it twice is doing it once; default: GET is, the others are not */
  readonly repeatable?: boolean | undefined
}

export type Esauti = {
  readonly api: Api
  readonly events: Events
  /**
   * Any call of the instance, with its answer as it was sent.
   *
   * @example await esauti.request({ method: 'GET', path: '/api/contacts/7/avatar' })
   */
  request(call: ApiCall, options?: RequestOptions): Promise<unknown>
  /** The same client with other options, say for another instance. A token, `oauth` or `basic` replaces what was there. */
  with(options: Partial<EsautiOptions>): Esauti
}

/**
 * A client of one eSauti instance: its REST resources and its event injection.
 *
 * @throws TypeError or RangeError for options that can never work
 * @example
 * const esauti = createEsauti({ baseUrl: 'https://your-instance.esauti.com/api', token })
 * const contact = await esauti.api.contacts.create({ firstname: 'Jane', email: 'jane@esauti.com' })
 */
export function createEsauti(options: EsautiOptions): Esauti {
  checkNames(options)
  const baseUrl = toInstanceUrl(options.baseUrl)
  checkCredentials(options)
  const rest = openRest(options, baseUrl)
  const credentials = createCredentials(options, rest)
  const request = authorize(rest, credentials)
  const clients = Object.entries(table).map(([name, spec]) => [name, createResource(spec, request)])
  return {
    // The types are computed from the table that the clients are made from.
    api: Object.fromEntries(clients) as Api,
    events: openEvents(options, rest, credentials),
    request: async ({ query, repeatable, ...call }, requestOptions) => {
      // Without it the path would become part of the host.
      if (!call.path.startsWith('/'))
        throw new TypeError(`path must begin with /, as /api/contacts; it is ${call.path}`)
      const parameters = query === undefined ? {} : { query: toParameters(query) }
      const again = repeatable ?? (call.method === 'GET' || 'when-refused')
      return unmark(await request({ ...call, ...parameters, repeatable: again }, requestOptions))
    },
    with: (changes) => createEsauti(merge(options, changes)),
  }
}

/** Another way to say who is asking takes the place of the one before. */
function merge(options: EsautiOptions, changes: Partial<EsautiOptions>): EsautiOptions {
  const says = [changes.token, changes.oauth, changes.basic].some((credentials) => credentials !== undefined)
  const none = { token: undefined, oauth: undefined, basic: undefined }
  return { ...options, ...(says && none), ...changes }
}

function createCredentials(options: EsautiOptions, rest: Rest): Credentials {
  const { oauth } = options
  if (oauth === undefined) return createFixed(toFixedHeader(options))
  const { tokenUrl = `${rest.baseUrl}/oauth/v2/token` } = oauth
  const url = URL.parse(tokenUrl)
  if (!url) throw new TypeError(`oauth.tokenUrl must be an address; it is ${JSON.stringify(tokenUrl)}`)
  return createOAuth(oauth, openRest(options, url.origin), url.pathname + url.search)
}

function openEvents(options: EsautiOptions, plain: Rest, credentials: Credentials): Events {
  const { hmacSecret, source = 'sdk', eventsEndpoint = '/api/integrations/events' } = options
  const { pathname } = new URL(eventsEndpoint, 'http://instance')
  const rest = hmacSecret === undefined ? plain : openRest(options, plain.baseUrl, hmacSecret)
  const { clock, newId } = rest
  const nowMs = (): number => clock.wall?.() ?? clock.now()
  const identifyPath = '/api/integrations/identify'
  return createEvents({ path: pathname, identifyPath, source, nowMs, newId }, authorize(rest, credentials))
}

function openRest(options: EsautiOptions, baseUrl: string, hmacSecret?: string): Rest {
  const signing = hmacSecret === undefined ? undefined : { secret: hmacSecret.trim(), fields: signatureFields }
  return createRest({ ...toRestOptions(options), baseUrl, signing, parseAnswer: parseMarked, parseProblem })
}
