import { HubError, consoleHeader } from '@sluice/protocol'
import type { Sealing } from '../domain/sealing.ts'
import type { HubRequest } from './exchange.ts'

/** The cookie of the console. Ports share cookies: each hub has a name of its own, which all its nodes have. */
export type SessionCookie = {
  /** The token in it. @throws HubError `forbidden` if another page may have sent it */
  readonly read: (request: HubRequest) => string | undefined
  readonly print: (request: HubRequest, token: string, lifeMs: number) => string
  readonly clear: (request: HubRequest) => string
}

/** @param publicUrl where browsers reach the hub, if that is not where it listens */
export function createSessionCookie(sealing: Pick<Sealing, 'digest'>, publicUrl: string | undefined): SessionCookie {
  const name = `sluice_${sealing.digest('console cookie').slice(0, 8)}`
  const print = (request: HubRequest, value: string, seconds: number): string => {
    // A browser says where its page came from with every request that changes something.
    const isSecure = (publicUrl ?? request.header('origin') ?? '').startsWith('https:')
    return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
  }
  return {
    read: (request) => {
      const token = findCookie(request.header('cookie'), name)
      if (token !== undefined) refuseForeignPage(request)
      return token
    },
    print: (request, token, lifeMs) => print(request, token, Math.floor(lifeMs / 1000)),
    clear: (request) => print(request, '', 0),
  }
}

function findCookie(header: string | undefined, name: string): string | undefined {
  const found = header
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`))
  return found?.slice(name.length + 1) || undefined
}

/** Beside SameSite: pages of another port of this host are of the same site, and not ours. */
function refuseForeignPage(request: HubRequest): void {
  const site = request.header('sec-fetch-site')
  if (request.header(consoleHeader) !== undefined && (site === undefined || site === 'same-origin')) return
  throw new HubError(
    'forbidden',
    `a request with the console's cookie must come from the console and carry ${consoleHeader}; other programs send a key`,
  )
}
