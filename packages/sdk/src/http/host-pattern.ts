/** Origins that may receive credentials. */
export type HostPattern = {
  readonly protocol: 'https:' | 'http:'
  /** in lower case; with `*.` before it any name below it */
  readonly name: string
  /** as URLs have it: empty for the default of the protocol; `*` for any */
  readonly port: string
}

/** What a pattern may look like, for messages. */
export const hostPatternForms =
  'as api.example.com or *.example.com, which mean https and its port, api.example.com:8443, or http://127.0.0.1:* (plain http on loopback addresses only)'

/**
 * Reads a pattern. Where it names no scheme it means https, and where it names no port the default one.
 *
 * @returns undefined for what is none, and for plain http to anything but a loopback address
 * @example parseHostPattern('*.example.com') // { protocol: 'https:', name: '*.example.com', port: '' }
 */
export function parseHostPattern(text: string): HostPattern | undefined {
  const parts = /^(?:(https?):\/\/)?((?:\*\.)?[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}|\*))?$/.exec(text.toLowerCase())
  if (!parts) return undefined
  const [, scheme = 'https', name = '', port = ''] = parts
  const protocol = scheme === 'http' ? 'http:' : 'https:'
  if (protocol === 'http:' && !isLoopback(name)) return undefined
  return { protocol, name, port: port === (protocol === 'http:' ? '80' : '443') ? '' : port }
}

/** The same for what was written by hand. @throws TypeError for what is none */
export function toHostPattern(text: string): HostPattern {
  const pattern = parseHostPattern(text)
  if (!pattern) throw new TypeError(`"${text}" cannot be one of hosts; write it ${hostPatternForms}`)
  return pattern
}

/** Whether the pattern means the origin of that URL. */
export function isHost({ protocol, name, port }: HostPattern, url: URL): boolean {
  if (url.protocol !== protocol || (port !== '*' && url.port !== port)) return false
  return name.startsWith('*.') ? url.hostname.endsWith(name.slice(1)) : url.hostname === name
}

/** Whether nobody on the way can read what is sent there: https, or plain http that stays on the machine. */
export function isPrivateWay({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopback(hostname)
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
