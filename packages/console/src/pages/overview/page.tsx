import type { Inbox } from '@sluice/client/admin'
import { useEffect, useRef, useState } from 'preact/hooks'
import { toHref } from '../../address.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { useTail, type Tail } from '../../hooks/use-tail.ts'
import { hub } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { Figures } from '../../ui/figures.tsx'
import { toCount, toSpan } from '../../ui/format.ts'
import { PageHead } from '../../ui/page-head.tsx'
import { Broken, Empty, Skeleton } from '../../ui/states.tsx'
import { InboxState, toOpenCount } from '../inboxes/look.tsx'
import { Charts } from './charts.tsx'
import { FirstMinute } from './first-minute.tsx'

/** Of more inboxes than these, the first are shown. */
const shownInboxes = 200
const refreshMs = 5000

export function Page() {
  const mayRead = useMay('read')
  const tail = useTail({}, mayRead, () => undefined, 5)
  const inboxes = useLoad('inboxes', (signal) => hub.listInboxes({ limit: shownInboxes }, { signal }))
  const first = useLoad('first event', async (signal) =>
    mayRead ? await hub.searchEvents({ limit: 2 }, { signal }) : undefined,
  )
  useRefresh(tail, inboxes.reload)
  const isNew = first.value !== undefined && first.value.events.length < 2 && !first.value.pagination.has_more
  return (
    <>
      <PageHead title="Overview" />
      {isNew && <FirstMinute found={first.value?.events[0]} tail={tail} />}
      {inboxes.failure && !inboxes.value ? (
        <Broken failure={inboxes.failure} retry={inboxes.reload} />
      ) : inboxes.value ? (
        <Now inboxes={inboxes.value.inboxes} tail={mayRead ? tail : undefined} />
      ) : (
        <Skeleton rows={1} height={68} />
      )}
      {!isNew && <Charts />}
      {inboxes.value && <Attention inboxes={inboxes.value.inboxes} />}
    </>
  )
}

/** When something was published, and not more than every 5 seconds; a hub where nothing happens is asked nothing. */
function useRefresh(tail: Tail, reload: () => void): void {
  const wanted = useRef(false)
  useEffect(() => {
    if (tail.seen > 0 || tail.events.length > 0) wanted.current = true
  }, [tail])
  useEffect(() => {
    const timer = setInterval(() => {
      if (!wanted.current || document.hidden) return
      wanted.current = false
      reload()
    }, refreshMs)
    return () => clearInterval(timer)
  }, [])
}

type NowProps = { readonly inboxes: readonly Inbox[]; readonly tail: Tail | undefined }

function Now({ inboxes, tail }: NowProps) {
  const sum = (of: (inbox: Inbox) => number): number => inboxes.reduce((total, inbox) => total + of(inbox), 0)
  const dead = sum((inbox) => inbox.dead)
  const ages = inboxes.flatMap(({ oldest_age_seconds: age }) => age ?? [])
  const rate = tail ? [{ name: 'Published, per second', value: tail.state === 'open' ? toCount(tail.seen) : '…' }] : []
  return (
    <Figures
      figures={[
        ...rate,
        {
          name: 'To be done',
          value: toCount(sum(toOpenCount)),
          hint: 'not looked at, waiting, leased or parked, in all inboxes',
        },
        { name: 'Leased', value: toCount(sum(({ leased }) => leased)), hint: 'handed out, not yet settled' },
        { name: 'Dead letters', value: toCount(dead), tone: dead > 0 ? 'bad' : undefined },
        {
          name: 'Oldest',
          value: ages.length === 0 ? '–' : toSpan(Math.max(...ages)),
          hint: 'age of the oldest event that is not done',
        },
      ]}
    />
  )
}

/** Inboxes that somebody should look at: dead letters, or nothing handed out. */
function Attention({ inboxes }: { readonly inboxes: readonly Inbox[] }) {
  const [isAll, setIsAll] = useState(false)
  const wrong = inboxes.filter(({ dead, status, blocked }) => dead > 0 || status !== 'active' || blocked)
  const shown = isAll ? wrong : wrong.slice(0, 8)
  return (
    <section class="section" aria-label="Needs attention">
      <h2>Needs attention</h2>
      {wrong.length === 0 ? (
        <Empty title="All inboxes hand out">No dead letters, nothing paused, broken or blocked.</Empty>
      ) : (
        <ul class="verdicts">
          {shown.map((inbox) => (
            <li key={inbox.key} class="verdict">
              <a class="strong" href={toHref(['inboxes', inbox.key])}>
                {inbox.key}
              </a>
              <InboxState inbox={inbox} />
              <span class="why soft">{toCount(toOpenCount(inbox))} to be done</span>
              {inbox.dead > 0 && (
                <a class="bad-text" href={toHref(['inboxes', inbox.key, 'dead-letters'])}>
                  {inbox.dead === 1 ? '1 dead letter' : `${toCount(inbox.dead)} dead letters`}
                </a>
              )}
            </li>
          ))}
        </ul>
      )}
      {wrong.length > shown.length && (
        <button type="button" class="link" onClick={() => setIsAll(true)}>
          Show all {wrong.length}
        </button>
      )}
    </section>
  )
}
