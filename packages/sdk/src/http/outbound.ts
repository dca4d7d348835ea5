import { lookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { isIP, type BlockList } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { toBlockList, toRefusal } from './address.ts'

/** The target of a request lies in a network that may not be reached. Nothing was sent. */
export class AddressRefusedError extends Error {
  readonly host: string
  readonly address: string

  constructor(host: string, address: string, reason: string) {
    const what = host === address ? host : `${host} is at ${address}, which`
    super(`${what} is not reachable from here: it is ${reason}; allow its network with --allow-cidr if that is meant`)
    this.name = 'AddressRefusedError'
    this.host = host
    this.address = address
  }
}

export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void

export type OutboundOptions = {
  /** networks that may be reached although they are private, as `10.0.0.0/8`; default none */
  readonly allowCidr?: readonly string[] | undefined
  /** for one connection, in ms; default 10,000 */
  readonly connectTimeoutMs?: number | undefined
  /** instead of the system's resolver, for tests */
  readonly resolve?: Resolve | undefined
}

/** The way out of the process: connections to public addresses, and to those that are allowed. */
export type Outbound = {
  /** for undici's `request` and `fetch` */
  readonly dispatcher: Agent
  /** Says before anything is sent why a URL would be refused: its scheme, its name, any of its addresses. */
  readonly check: (url: string | URL) => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Opens the way out. The address that is connected to is the one that was checked: names are resolved once, in the connection
 * itself, so that a name which changes its address in between (DNS rebinding) gains nothing. A name is refused if any of its
 * addresses is.
 *
 * @throws TypeError for a network that is none
 * @example const outbound = createOutbound({ allowCidr: ['127.0.0.0/8'] })
 */
export function createOutbound({
  allowCidr = [],
  connectTimeoutMs = 10_000,
  resolve = lookup,
}: OutboundOptions = {}): Outbound {
  const allowed = toBlockList(allowCidr)
  const guarded = toGuardedLookup(resolve, allowed)
  const connect = buildConnector({ timeout: connectTimeoutMs, lookup: guarded })
  const dispatcher = new Agent({
    allowH2: false,
    connect: (options, callback) => {
      // A host that is an address is never looked up.
      const refusal = refuseLiteral(options.hostname, allowed)
      if (refusal) return callback(refusal, null)
      connect(options, callback)
    },
  })
  return {
    dispatcher,
    check: async (url) => {
      const { hostname, protocol } = new URL(url)
      if (!/^https?:$/.test(protocol)) throw new TypeError(`${protocol} addresses cannot be requested; use https`)
      const refusal = refuseLiteral(hostname, allowed)
      if (refusal) throw refusal
      if (isIP(unbracket(hostname)) === 0) await lookUp(guarded, hostname)
    },
    close: () => dispatcher.close(),
  }
}

const unbracket = (host: string): string => host.replace(/^\[|\]$/g, '')

export function refuseLiteral(hostname: string, allowed: BlockList): AddressRefusedError | undefined {
  const address = unbracket(hostname)
  const reason = isIP(address) === 0 ? undefined : toRefusal(address, allowed)
  return reason === undefined ? undefined : new AddressRefusedError(address, address, reason)
}

type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
) => void

export function toGuardedLookup(resolve: Resolve, allowed: BlockList): Lookup {
  return (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      for (const { address } of addresses) {
        const reason = toRefusal(address, allowed)
        if (reason !== undefined) return callback(new AddressRefusedError(hostname, address, reason), '')
      }
      const [first] = addresses
      if (!first) return callback(new Error(`${hostname} has no address`), '')
      if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
}

function lookUp(guarded: Lookup, hostname: string): Promise<void> {
  return new Promise((resolve, reject) =>
    guarded(hostname, { all: true }, (error) => (error ? reject(error) : resolve())),
  )
}
