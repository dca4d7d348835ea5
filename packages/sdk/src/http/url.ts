type ParamValue =
  | string
  | number
  | boolean
  | bigint
  | Date
  | null
  | undefined
  | readonly ParamValue[]
  | { readonly [name: string]: unknown }
export type Params = Readonly<Record<string, ParamValue>>

/**
 * An address with its query. Null and undefined are left out, lists become repeated names, dates ISO 8601, objects JSON. What the
 * address has in its query already stays.
 *
 * @throws TypeError if it is no http or https address
 * @example toUrl('https://api.example.com/x?a=1', { tag: ['b', 'c'], all: true }) // …?a=1&tag=b&tag=c&all=true
 */
export function toUrl(address: string | URL, params: Params = {}): URL {
  const url = URL.parse(String(address))
  if (!url || !/^https?:$/.test(url.protocol))
    throw new TypeError(`"${withoutQuery(String(address))}" is no http or https address`)
  for (const [name, value] of Object.entries(params)) append(url.searchParams, name, value)
  return url
}

function append(query: URLSearchParams, name: string, value: ParamValue): void {
  if (value === null || value === undefined) return
  if (Array.isArray(value)) {
    for (const item of value as readonly ParamValue[]) append(query, name, item)
    return
  }
  if (value instanceof Date) query.append(name, value.toISOString())
  else query.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
}

/** For logs and errors: a query may hold keys, and so may a user name. */
export function withoutQuery(address: string | URL): string {
  const url = URL.parse(String(address))
  return url ? `${url.origin}${url.pathname}` : (String(address).split(/[?#]/)[0]?.slice(0, 200) ?? '')
}
