import { ActionError, HTTPError, RateLimitError, type Context } from '@sluice/sdk/integration'
import { parseFeed, type Feed } from './feed.ts'
import { toText } from './text.ts'

/** What the server gave with the last answer, to ask whether there is another. */
export type Validators = { readonly etag?: string | undefined; readonly modified?: string | undefined }

const maxBytes = 10 * 1024 * 1024

/** Undefined where the feed is still the same. @throws ActionError in words */
export async function readFeed(
  context: Context,
  url: string,
  { etag, modified }: Validators = {},
): Promise<{ readonly feed: Feed; readonly validators: Validators } | undefined> {
  const headers = {
    accept:
      'application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5',
    'user-agent': 'sluice',
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(modified !== undefined && { 'if-modified-since': modified }),
  }
  try {
    const { data, headers: fields } = await context.fetch<Uint8Array>(url, { headers, as: 'bytes', maxBytes })
    const feed = parseFeed(toText(data, String(fields['content-type'] ?? '')), url)
    return { feed, validators: { etag: fields['etag']?.toString(), modified: fields['last-modified']?.toString() } }
  } catch (error) {
    if (error instanceof RateLimitError)
      throw new ActionError(`the feed's server asks for a pause of ${error.retryAfter} seconds`)
    if (!(error instanceof HTTPError)) throw error
    if (error.status === 304) return undefined
    throw new ActionError(`the feed's server answered ${error.status}; check the address`)
  }
}
