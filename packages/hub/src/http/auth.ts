import { HubError, type Permission } from '@sluice/protocol'
import type { Authenticator, Principal } from '../domain/authenticate.ts'
import { takeRequest } from '../domain/authenticate.ts'
import type { Context } from '../domain/context.ts'
import type { Signature } from '../domain/signature.ts'
import { isLinkToken, readSession, redeemLinkToken } from '../domain/sessions.ts'
import { openTicket } from '../domain/tickets.ts'
import { beginVerification, refuseSignature, refuseStranger, type Signer } from '../domain/verify-request.ts'
import type { HubRequest } from './exchange.ts'
import type { SessionCookie } from './session-cookie.ts'

/** Who asks, and how to ask the same again later. */
export type Identified = { readonly principal: Principal; readonly again: () => Promise<Principal> }

/** Whoever has shown a key or a ticket, or says to have signed. */
type Claim =
  | { readonly kind: 'shown'; readonly identified: Identified }
  | {
      readonly kind: 'signed'
      /** Undefined for a signature alone: nothing may be spent in the name of its key before it is proven. */
      readonly shown: Principal | undefined
      readonly keyId: string
      readonly workspaceId: number
      /**
       * @param body as received
       * @throws HubError `signature-refused`, `unauthorized`, and what the state of the key asks for
       */
      readonly prove: (body: Uint8Array) => Promise<Identified>
    }

export type Auth = {
  readonly claim: (request: HubRequest, also?: AlsoAccepted) => Promise<Claim>
  /** For requests without a body. */
  readonly identify: (request: HubRequest) => Promise<Identified>
}

/** What a route takes beside keys, signatures and sessions. */
type AlsoAccepted = {
  /** the inbox for whose stream a ticket in the query is accepted */
  readonly ticketFor?: string | undefined
  /** the one-time link that `sluice start` prints */
  readonly link?: boolean
}

export type AuthOptions = {
  readonly context: Context
  readonly authenticator: Authenticator
  readonly cookie: SessionCookie
  /** where clients reach the hub: a proxy may take off the path, which they have signed */
  readonly publicUrl: string | undefined
}

export function createAuth({ context, authenticator, cookie, publicUrl }: AuthOptions): Auth {
  const { authenticate, authenticateById, authenticateSession } = authenticator
  const prefix = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '')

  const claim: Auth['claim'] = async (request, { ticketFor, link } = {}) => {
    const header = request.header('authorization')
    const signature = toSignature(request)
    if (signature) return claimSigned(request, header, signature)
    const ticket =
      header === undefined && ticketFor !== undefined ? new URLSearchParams(request.queryText).get('ticket') : null
    if (ticket !== null && ticketFor !== undefined) {
      const keyId = openTicket(context, ticketFor, ticket)
      // The ticket has done its work once the stream is open: later only the key counts.
      return toShown(() => authenticateById(keyId))
    }
    const session = header === undefined ? cookie.read(request) : undefined
    if (session !== undefined) return toShown(async () => authenticateSession(readSession(context, session)))
    const shown = toApiKey(header)
    if (link && isLinkToken(shown)) {
      const keyId = await redeemLinkToken(context, shown)
      return toShown(() => authenticateById(keyId))
    }
    return toShown(() => authenticate(shown, false))
  }

  const claimSigned = async (request: HubRequest, header: string | undefined, signature: Signature): Promise<Claim> => {
    const shown = header === undefined ? undefined : await authenticate(toApiKey(header), true)
    const signer = toSigner(shown, request.header('x-sluice-key-id'))
    const { keyId, workspaceId, prove } = await beginVerification(context, signer, signature)
    return {
      kind: 'signed',
      shown,
      keyId,
      workspaceId,
      prove: async (body) => {
        prove({ method: request.method, targets: toTargets(request, prefix), body })
        const again = (): Promise<Principal> =>
          header === undefined ? authenticateById(keyId) : authenticate(toApiKey(header), true)
        return { principal: { ...(await again()), signature: signature.signature }, again }
      },
    }
  }

  return {
    claim,
    identify: async (request) => {
      const claimed = await claim(request)
      return claimed.kind === 'shown' ? claimed.identified : claimed.prove(await request.readBody(0))
    },
  }
}

async function toShown(again: () => Promise<Principal>): Promise<Claim> {
  return { kind: 'shown', identified: { principal: await again(), again } }
}

/** The eSauti spellings are equal. One without its time is refused later, and not taken for none. */
function toSignature(request: HubRequest): Signature | undefined {
  const signature = request.header('x-sluice-signature') ?? request.header('x-esauti-signature')
  if (signature === undefined) return undefined
  const timestamp = request.header('x-sluice-timestamp') ?? request.header('x-esauti-timestamp')
  return { timestamp: timestamp ?? '', signature }
}

function toSigner(shown: Principal | undefined, named: string | undefined): Signer {
  if (shown) {
    if (named !== undefined && named !== shown.keyId)
      throw refuseSignature(`X-Sluice-Key-Id names another key than ${shown.keyId}, which stands beside it`)
    return { keyId: shown.keyId, isOwner: true }
  }
  if (named === undefined)
    throw new HubError(
      'unauthorized',
      'the request is signed, but X-Sluice-Key-Id is missing: it says whose signature it is',
    )
  if (!/^[0-9a-f]{16}$/.test(named)) throw refuseStranger()
  return { keyId: named, isOwner: false }
}

function toTargets({ path, queryText }: HubRequest, prefix: string): string[] {
  const target = queryText === '' ? path : `${path}?${queryText}`
  return prefix === '' ? [target] : [target, prefix + target]
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
