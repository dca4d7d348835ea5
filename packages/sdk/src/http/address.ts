import { BlockList, isIP, isIPv4 } from 'node:net'

/** Blocks that no public service lives in, each with its reason. From the registries of RFC 6890 and its updates. */
const reserved: readonly (readonly [block: string, reason: string])[] = [
  ['0.0.0.0/8', 'this host'],
  ['10.0.0.0/8', 'a private network'],
  ['100.64.0.0/10', 'a carrier’s shared network'],
  ['127.0.0.0/8', 'this machine (loopback)'],
  ['169.254.0.0/16', 'link-local; cloud metadata lives there'],
  ['172.16.0.0/12', 'a private network'],
  ['192.0.0.0/24', 'reserved for protocols'],
  ['192.0.2.0/24', 'reserved for documentation'],
  ['192.88.99.0/24', 'reserved (6to4 relays)'],
  ['192.168.0.0/16', 'a private network'],
  ['198.18.0.0/15', 'reserved for benchmarks'],
  ['198.51.100.0/24', 'reserved for documentation'],
  ['203.0.113.0/24', 'reserved for documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['::/128', 'this host'],
  ['::1/128', 'this machine (loopback)'],
  ['64:ff9b:1::/48', 'a local translation prefix'],
  ['100::/64', 'discarded'],
  ['2001::/23', 'reserved for protocols'],
  ['2001:db8::/32', 'reserved for documentation'],
  ['3fff::/20', 'reserved for documentation'],
  ['5f00::/16', 'reserved for segment routing'],
  ['fc00::/7', 'a private network'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'a private network (site-local)'],
  ['ff00::/8', 'multicast'],
]

const blocks = reserved.map(([block, reason]) => ({ list: toBlockList([block]), reason }))

/**
 * Why an address must not be connected to, or undefined if it is public or allowed. IPv6 forms that carry an IPv4 address
 * (mapped, compatible, NAT64, 6to4) are judged by that.
 *
 * @param allowed networks that may be reached all the same
 */
export function toRefusal(address: string, allowed: BlockList): string | undefined {
  const plain = address.split('%')[0] ?? ''
  if (isIP(plain) === 0) return 'no IP address'
  const inner = isIPv4(plain) ? plain : embeddedIpv4(plain)
  if (isListed(allowed, plain) || (inner !== undefined && isListed(allowed, inner))) return undefined
  return blocks.find(({ list }) => isListed(list, plain) || (inner !== undefined && isListed(list, inner)))?.reason
}

function isListed(list: BlockList, address: string): boolean {
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/**
 * Networks as a list.
 *
 * @param cidrs `10.0.0.0/8`, `fd00::/8`, or single addresses
 * @throws TypeError naming the first that is none
 */
export function toBlockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', length] = cidr.trim().split('/')
    const bits = isIPv4(address) ? 32 : 128
    const prefix = length === undefined ? bits : Number(length)
    if (isIP(address) === 0 || !/^\d*$/.test(length ?? '') || length === '' || prefix > bits)
      throw new TypeError(`"${cidr}" is no network; write it as 10.0.0.0/8 or fd00::/8`)
    list.addSubnet(address, prefix, bits === 32 ? 'ipv4' : 'ipv6')
  }
  return list
}

/** What is wrong with a network, for whoever wrote it; undefined if it is one. */
export function findNetworkFault(cidr: string): string | undefined {
  try {
    toBlockList([cidr])
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The IPv4 address inside of ::ffff:0:0/96, ::/96, 64:ff9b::/96 and 2002::/16. */
function embeddedIpv4(address: string): string | undefined {
  const groups = expand(address)
  const [first = 0, second = 0, third = 0] = groups
  if (first === 0x2002) return join(second, third)
  const isZero = (from: number, to: number): boolean => groups.slice(from, to).every((group) => group === 0)
  const isMapped = isZero(0, 5) && (groups[5] === 0xffff || groups[5] === 0)
  const isNat64 = first === 0x64 && second === 0xff9b && isZero(2, 6)
  return isMapped || isNat64 ? join(groups[6] ?? 0, groups[7] ?? 0) : undefined
}

const join = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join('.')

/** The eight groups of an address; URL writes an IPv4 tail as groups, and checks the form. */
function expand(address: string): number[] {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const parse = (part: string): number[] =>
    part
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16))
  if (tail === undefined) return parse(head)
  const [before, after] = [parse(head), parse(tail)]
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}
