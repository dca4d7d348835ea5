import { lookup } from 'node:dns'
import { isIP, type NetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net'
import { toBlockList } from './address.ts'
import { AddressRefusedError, refuseLiteral, toGuardedLookup, type Resolve } from './outbound.ts'

type Connect = Socket['connect']
type Callback = () => void

/**
 * `Socket.prototype.connect` for a process that may reach public addresses only, whatever library connects: the address that
 * is connected to has been checked. Paths of local sockets are refused.
 *
 * @example Socket.prototype.connect = createGuardedConnect(Socket.prototype.connect, { allowCidr: [] })
 */
export function createGuardedConnect(
  connect: Connect,
  { allowCidr }: { readonly allowCidr: readonly string[] },
): Connect {
  const allowed = toBlockList(allowCidr)
  const guarded = function connectGuarded(this: Socket, ...args: readonly unknown[]): Socket {
    const [options, callback] = toOptions(args)
    const refusal =
      'path' in options && options.path ? refusePath(options.path) : refuseHost(options as TcpNetConnectOpts)
    if (refusal) {
      process.nextTick(() => this.destroy(refusal))
      return this
    }
    const { lookup: own = lookup } = options as TcpNetConnectOpts // no path: TCP
    const checked = { ...options, lookup: toGuardedLookup(own as Resolve, allowed) } // any lookup is asked for all addresses
    return (connect as (this: Socket, options: NetConnectOpts, callback?: Callback) => Socket).call(
      this,
      checked as NetConnectOpts,
      callback,
    )
  }
  const refuseHost = ({ host = 'localhost' }: TcpNetConnectOpts): Error | undefined =>
    isIP(host) === 0 ? undefined : refuseLiteral(host, allowed)
  return guarded as Connect // the same forms of arguments
}

function refusePath(path: string): AddressRefusedError {
  return new AddressRefusedError(path, path, 'a socket of this machine')
}

/** `(options, callback)`, `(port, host, callback)`, `(path, callback)`, or what Node has made of them: `[[options, callback]]`. */
function toOptions(args: readonly unknown[]): [NetConnectOpts, Callback | undefined] {
  const [first, ...rest] = args
  // Copies: a getter must not say one thing to the check and another to the connection.
  if (Array.isArray(first)) return [{ ...(first[0] as NetConnectOpts) }, (first[1] as Callback | null) ?? undefined]
  const callback = rest.find((arg): arg is Callback => typeof arg === 'function')
  if (typeof first === 'object' && first !== null) return [{ ...(first as NetConnectOpts) }, callback]
  if (typeof first === 'string' && !/^\d+$/.test(first)) return [{ path: first }, callback]
  const host = typeof rest[0] === 'string' ? rest[0] : 'localhost'
  return [{ port: Number(first), host }, callback]
}
