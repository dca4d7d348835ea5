import type { Event, Filter } from '@sluice/client/admin'
import { failedRule } from '@sluice/protocol/match'
import { useState } from 'preact/hooks'
import { toHref } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import { hub } from '../../hub.ts'
import { Badge } from '../../ui/badge.tsx'
import { toAmount } from '../../ui/format.ts'
import { Time } from '../../ui/time.tsx'

const shownEvents = 12

/** The hub's own rule, run over the last events of the log: nothing is saved, nothing is handed out. */
export function TryFilter({ filter }: { readonly filter: Filter | undefined }) {
  const [events, setEvents] = useState<readonly Event[]>()
  const { isBusy, run } = useDeed()
  const load = (): Promise<boolean> =>
    run(async () => {
      setEvents((await hub.searchEvents({ limit: 200 })).events)
      return undefined
    })
  const judged = filter && events ? judge(filter, events) : undefined
  return (
    <div class="try">
      <button type="button" disabled={isBusy || !filter} onClick={() => void load()}>
        Try it on the last 200 events
      </button>
      {typeof judged === 'string' && <p class="bad-text small">{judged}</p>}
      {typeof judged === 'object' && (
        <>
          <p>
            It takes <b>{judged.filter(({ rule }) => rule === undefined).length}</b> of{' '}
            {toAmount(judged.length, 'event')}.
          </p>
          <ul class="tried">
            {judged.slice(0, shownEvents).map(({ event, rule }) => (
              <li key={event.event_id}>
                <Badge tone={rule === undefined ? 'good' : 'off'}>{rule === undefined ? 'taken' : 'left out'}</Badge>
                <a href={toHref(['events', event.event_id])}>{event.event_type}</a>
                <span class="soft small mono">{rule ?? ''}</span>
                <span class="soft small">
                  <Time at={event.timestamp} />
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}

type Judged = { readonly event: Event; readonly rule: string | undefined }

/** @returns why it cannot be tried, for a filter that the hub would refuse */
function judge(filter: Filter, events: readonly Event[]): readonly Judged[] | string {
  try {
    return events.map((event) => {
      const { event_type: eventType, source = null, subject = null } = event
      return { event, rule: failedRule(filter, { eventType, source, subject, body: () => event }) }
    })
  } catch {
    return 'This is no filter: a member has another form than the hub expects.'
  }
}
