import type { Page } from '../domain/page.ts'
import { jsonText, type HubResponse } from './exchange.ts'

/** `{NAME: […], "pagination": {…}}`, and further members as JSON text. */
export function pageResponse(name: string, { items, nextCursor, hasMore }: Page, more = ''): HubResponse {
  const pagination = JSON.stringify({ next_cursor: nextCursor, has_more: hasMore })
  return jsonText(200, `{"${name}":[${items.join(',')}],"pagination":${pagination}${more}}`)
}
