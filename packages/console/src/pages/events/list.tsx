import type { Event } from '@sluice/client/admin'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { change, go, here, toHref, useAddress } from '../../address.ts'
import { usePages, type Pages } from '../../hooks/use-pages.ts'
import { useTail, type Tail } from '../../hooks/use-tail.ts'
import { hub } from '../../hub.ts'
import { useCommands } from '../../ui/commands.ts'
import { toAmount, toCount } from '../../ui/format.ts'
import { PageHead } from '../../ui/page-head.tsx'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { filterNames, liveObstacle, parseSearch, printSearch, readFilters, toSearchQuery } from './filters.ts'

const columns: readonly Column<Event>[] = [
  { title: 'Type', width: 'minmax(150px, 3fr)', cell: ({ event_type: type }) => <span class="strong">{type}</span> },
  { title: 'Subject', width: 'minmax(90px, 2fr)', isExtra: true, cell: ({ subject }) => subject ?? <Nothing /> },
  { title: 'Source', width: 'minmax(90px, 1.5fr)', isExtra: true, cell: ({ source }) => source ?? <Nothing /> },
  { title: 'Accepted', width: '92px', isNumber: true, cell: ({ timestamp }) => <Time at={timestamp} /> },
]

const pageSize = 100

const Nothing = () => <span class="faint">–</span>

export function EventList({ selected }: { readonly selected: string | undefined }) {
  const { query } = useAddress()
  const filters = readFilters(query)
  const obstacle = liveObstacle(filters)
  const isLive = query['live'] !== 'off' && obstacle === undefined
  const found = usePages(JSON.stringify(filters), async (cursor, signal) => {
    const page = await hub.searchEvents({ ...toSearchQuery(filters), cursor, limit: pageSize }, { signal })
    return {
      items: page.events,
      pagination: page.pagination,
      searchedTo: page.events.length < pageSize ? page.searched_to : null,
    }
  })
  const tail = useTail(filters, isLive, found.reload)
  const { pages, waiting, takeIn, setIsTop } = useArrivals(found, tail)
  return (
    <>
      <PageHead title="Events">
        <LiveSwitch isLive={isLive} obstacle={obstacle} tail={tail} />
      </PageHead>
      <Search />
      <div class="notices" aria-live="polite">
        {waiting > 0 && (
          <button type="button" class="news" onClick={takeIn}>
            {toCount(waiting)} new
          </button>
        )}
        {tail.total.seen > tail.total.shown && (
          <span class="sampled">
            Sampled: {toCount(tail.total.shown)} of {toAmount(tail.total.seen, 'new event')}.{' '}
            <button type="button" class="link" onClick={found.reload}>
              Show all so far
            </button>
          </span>
        )}
        {found.searchedTo && (
          <span class="sampled">
            Searched back to <Time at={found.searchedTo} exact />.{' '}
            <button type="button" class="link" onClick={found.more}>
              Search further
            </button>
          </span>
        )}
      </div>
      <Table
        label="Events, newest first"
        columns={columns}
        pages={pages}
        keyOf={({ event_id: id }) => id}
        selected={selected}
        hrefOf={({ event_id: id }) => toHref(['events', id], query)}
        onTop={setIsTop}
        empty={<NoEvents isFiltered={Object.keys(filters).length > 0} />}
      />
    </>
  )
}

type Arrivals = {
  readonly pages: Pages<Event>
  /** how many are held back, because the reader is not at the top */
  readonly waiting: number
  readonly takeIn: () => void
  readonly setIsTop: (isTop: boolean) => void
}

/** What arrives stands before what was found; while somebody reads further down, nothing moves. */
function useArrivals(found: Pages<Event>, tail: Tail): Arrivals {
  const [isTop, setIsTop] = useState(true)
  const [taken, setTaken] = useState<readonly Event[]>([])
  const latest = useRef(tail.events)
  latest.current = tail.events
  const takeIn = (): void => setTaken(latest.current)
  useEffect(() => {
    if (isTop || tail.events.length === 0) takeIn()
  }, [isTop, tail.events])
  const pages = useMemo(() => {
    const known = new Set(found.items.slice(0, 2000).map(({ event_id: id }) => id))
    const fresh = taken.filter(({ event_id: id }) => !known.has(id))
    return { ...found, items: fresh.length === 0 ? found.items : [...fresh, ...found.items] }
  }, [found, taken])
  return { pages, waiting: isTop ? 0 : tail.events.length - taken.length, takeIn, setIsTop }
}

type LiveProps = { readonly isLive: boolean; readonly obstacle: string | undefined; readonly tail: Tail }

function LiveSwitch({ isLive, obstacle, tail }: LiveProps) {
  const toggle = (): void => change({ live: isLive ? 'off' : undefined })
  useCommands([{ name: isLive ? 'Stop the live tail' : 'Start the live tail', run: toggle }])
  const state = tail.state === 'open' ? `Live · ${toCount(tail.seen)}/s` : tail.state === 'off' ? 'Live' : 'Connecting…'
  return (
    <button
      type="button"
      class={`live ${tail.state}`}
      aria-pressed={isLive}
      disabled={obstacle !== undefined}
      title={obstacle ?? (isLive ? 'Stop showing what is published' : 'Show what is published, as it comes')}
      onClick={toggle}
    >
      <span class="dot" aria-hidden="true" /> {state}
    </button>
  )
}

/** One line for all filters, which stand in the address. */
function Search() {
  const { query } = useAddress()
  const said = printSearch(readFilters(query))
  const [text, setText] = useState(said)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => setText(said), [said])
  useCommands([{ name: 'Search events', key: '/', run: () => field.current?.select() }])
  const search = (line: string): void => {
    const cleared = Object.fromEntries(filterNames.map((name) => [name, undefined]))
    go(here().path, { ...here().query, ...cleared, ...parseSearch(line) })
  }
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        search(text)
      }}
    >
      <input
        ref={field}
        type="search"
        aria-label="Search events"
        placeholder="order.*  source:shop  subject:42  identity:ada@example.org  text in the payload"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          if (event.currentTarget.value === '') search('')
        }}
        spellcheck={false}
        autocomplete="off"
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  )
}

function NoEvents({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Empty
        title="Nothing matches"
        action={
          <a class="button" href={toHref(['events'])}>
            Show all events
          </a>
        }
      >
        No event in the log is of this type, source or text. Events whose time in the log is over are not searched.
      </Empty>
    )
  return (
    <Empty
      title="No events yet"
      action={
        <a class="button primary" href={toHref([])}>
          Send the first one
        </a>
      }
    >
      What is published to this workspace is listed here, newest first, the moment it is on disk.
    </Empty>
  )
}
