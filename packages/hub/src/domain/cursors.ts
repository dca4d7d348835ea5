import { createHmac } from 'node:crypto'
import { HubError, parseCursor, toCursor } from '@sluice/protocol'
import type { Workspace } from './context.ts'

/** Makes and reads signed texts that travel through clients: cursors of pages, positions of streams, tickets. */
export type Cursors = {
  readonly seal: (scope: string, value: string) => string
  readonly open: (scope: string, text: string) => string | undefined
}

/** @param secretKeys the first signs, all are accepted: so keys can be rotated while cursors are on their way */
export function createCursors(secretKeys: readonly Uint8Array[]): Cursors {
  const keys = secretKeys.map((secret) => createHmac('sha256', secret).update('sluice cursor').digest())
  const [first] = keys
  if (!first) throw new Error('at least one secret key is needed')
  return {
    seal: (scope, value) => toCursor(first, scope, value),
    open: (scope, text) => {
      for (const key of keys) {
        const value = parseCursor(key, scope, text)
        if (value !== undefined) return value
      }
      return undefined
    },
  }
}

/** @throws HubError `invalid-cursor`: never page one again */
export function openCursorOf(cursors: Cursors, scope: string, text: string): string {
  const value = cursors.open(scope, text)
  if (value === undefined)
    throw new HubError('invalid-cursor', 'the cursor was not made for this list, or was changed on its way')
  return value
}

/** The key in a cursor, or the empty text, which all keys come after. */
export function openKey(cursors: Cursors, scope: string, text: string | undefined): string {
  return text === undefined ? '' : openCursorOf(cursors, scope, text)
}

/** The position in a cursor, or `initial` where there is none. */
export function openPosition(cursors: Cursors, scope: string, text: string | undefined, initial: number): number {
  return text === undefined ? initial : Number(openCursorOf(cursors, scope, text))
}

/**
 * Polling and streams of an inbox share their cursors: change the door, keep the place. One from before a restore may stand
 * beyond the end of the log, and would pass over what comes next: it is refused.
 */
export function inboxScope({ id, tag, earlierTags }: Workspace, inbox: string): string {
  return earlierTags.length === 0 ? `${id}/inbox/${inbox}` : `${id}.${tag}/inbox/${inbox}`
}
