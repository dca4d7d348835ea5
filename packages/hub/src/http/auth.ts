import { HubError, type Permission } from '@sluice/protocol'
import type { Authenticator, Principal } from '../domain/authenticate.ts'
import { takeRequest } from '../domain/authenticate.ts'
import type { Context } from '../domain/context.ts'
import { openTicket } from '../domain/tickets.ts'
import type { HubRequest } from './exchange.ts'

/** Who asks, and how to ask the same again later. */
export type Identified = { readonly principal: Principal; readonly again: () => Promise<Principal> }

export type Auth = {
  /** @param ticketFor the inbox for whose stream a ticket in the query is accepted */
  readonly identify: (request: HubRequest, ticketFor?: string) => Promise<Identified>
}

export function createAuth(context: Context, { authenticate, authenticateById }: Authenticator): Auth {
  return {
    identify: async (request, ticketFor) => {
      const header = request.header('authorization')
      const ticket =
        header === undefined && ticketFor !== undefined ? new URLSearchParams(request.queryText).get('ticket') : null
      if (ticket !== null && ticketFor !== undefined) {
        const keyId = openTicket(context, ticketFor, ticket)
        // The ticket has done its work once the stream is open: later only the key counts.
        const again = (): Promise<Principal> => authenticateById(keyId)
        return { principal: await again(), again }
      }
      const again = (): Promise<Principal> => authenticate(toApiKey(header))
      return { principal: await again(), again }
    },
  }
}

/** `Bearer KEY`, or Basic with the key as user name, for clients that can only be given an address. */
function toApiKey(header: string | undefined): string {
  const match = /^(bearer|basic) +([^ ]+) *$/i.exec(header ?? '')
  const [, scheme, credentials] = match ?? []
  if (scheme === undefined || credentials === undefined)
    throw new HubError('unauthorized', 'Invalid or missing API key')
  if (scheme.toLowerCase() === 'bearer') return credentials
  const [user = ''] = Buffer.from(credentials, 'base64').toString().split(':')
  return user
}

/** Whether a call would still be let in. */
export async function isAllowed(
  confirm: (permission: Permission) => Promise<void>,
  permission: Permission,
): Promise<boolean> {
  try {
    await confirm(permission)
    return true
  } catch (error) {
    if (error instanceof HubError) return false
    throw error
  }
}

/**
 * Counts the request against the key's limit. The fields go to every answer, also to this one's refusal: hence `fields`.
 *
 * @throws HubError `rate-limit-exceeded`
 */
export async function limitRate(
  { store }: Context,
  principal: Principal,
  fields: Record<string, string>,
): Promise<void> {
  if (principal.rateLimit === null) return
  const state = await takeRequest(store, principal)
  if (!state) return
  fields['ratelimit-policy'] = `"default";q=${state.limit};w=60`
  fields['ratelimit'] = `"default";r=${state.remaining};t=${state.resetSeconds}`
  if (state.allowed) return
  throw new HubError(
    'rate-limit-exceeded',
    `${state.limit} requests a minute are allowed; wait ${state.resetSeconds} seconds`,
    {
      retryAfterSeconds: state.resetSeconds,
    },
  )
}
