import { request } from 'undici'

const mostSteps = 20

/**
 * Goes through login and consent as a browser would, cookies included, until the provider sends it elsewhere.
 *
 * @returns the address that it was sent to, with code or error
 * @throws Error with what the provider said instead
 */
export async function walk(url: string, origin: string): Promise<string> {
  const cookies = new Map<string, string>()
  let at = url
  for (let step = 0; step < mostSteps; step += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const { statusCode, headers, body } = await request(at, { headers: { cookie } })
    const text = await body.text()
    for (const line of [headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const { location } = headers
    if (typeof location !== 'string') throw new Error(`${at} answered ${statusCode} and led nowhere: ${toWords(text)}`)
    at = new URL(location, at).href
    if (!at.startsWith(`${origin}/`)) return at
  }
  throw new Error(`the way from ${url} has more than ${mostSteps} steps`)
}

const toWords = (html: string): string =>
  html
    .replaceAll(/<style[\s\S]*?<\/style>|<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 500)
