import { createEvents, type Events } from './events.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { toSettings, type SluiceOptions } from './options.ts'
import { createRequest } from './request.ts'

export type Sluice = {
  readonly events: Events
  /** @param key default `default`, the inbox that always exists */
  inbox(key?: string): Inbox
  /** The same client with other options, say for another tenant; it costs next to nothing. */
  with(options: SluiceOptions): Sluice
}

/**
 * A client of one hub. It holds no connection of its own and need not be closed.
 *
 * @throws TypeError or RangeError for options that can never work
 * @example
 * const sluice = createSluice({ baseUrl: 'http://127.0.0.1:8000', apiKey })
 * await sluice.events.send('user.signup', { user_id: '123' })
 */
export function createSluice(options: SluiceOptions = {}): Sluice {
  const settings = toSettings(options)
  const request = createRequest(settings)
  return {
    events: createEvents(settings, request),
    inbox: (key = 'default') => createInbox(settings, request, key),
    with: (changes) => createSluice({ ...options, ...changes }),
  }
}
