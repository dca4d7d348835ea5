import { BlockList, isIP, isIPv6 } from 'node:net'
import type { HubRequest } from './exchange.ts'

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4')

/** IPv4 addresses as they arrive on an IPv6 socket. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')

export type ReadClientAddress = (request: HubRequest) => string | undefined

/** @param ranges CIDR blocks of the proxies whose `X-Forwarded-For` is believed */
export function createClientAddress(ranges: readonly string[]): ReadClientAddress {
  const trusted = toBlockList(ranges)
  const isTrusted = (address: string): boolean => isIP(address) !== 0 && trusted.check(address, familyOf(address))
  /** Undefined where it cannot be known: a proxy that is not trusted, or one that says nothing. */
  return (request) => {
    const socket = plain(request.remoteAddress)
    const forwarded = request.header('x-forwarded-for')
    if (forwarded === undefined) return socket === '' || request.header('forwarded') !== undefined ? undefined : socket
    if (!isTrusted(socket)) return undefined
    // From the right: each trusted proxy has added the address that it saw.
    return forwarded
      .split(',')
      .map((address) => plain(address.trim()))
      .findLast((address) => !isTrusted(address))
  }
}

/** @throws TypeError for what is no CIDR block */
function toBlockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    list.addSubnet(address, prefix === undefined ? (isIPv6(address) ? 128 : 32) : Number(prefix), familyOf(address))
  }
  return list
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === '::1' || address.startsWith('127.'))
}
