import type { Event } from '@sluice/client/admin'
import { toHref } from '../../address.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

const columns: readonly Column<Event>[] = [
  { title: 'Type', width: 'minmax(150px, 3fr)', cell: ({ event_type: type }) => <span class="strong">{type}</span> },
  { title: 'Subject', width: 'minmax(90px, 2fr)', isExtra: true, cell: ({ subject }) => subject ?? '–' },
  { title: 'Source', width: 'minmax(90px, 1.5fr)', isExtra: true, cell: ({ source }) => source ?? '–' },
  { title: 'Accepted', width: '92px', isNumber: true, cell: ({ timestamp }) => <Time at={timestamp} /> },
]

/** What the inbox would hand out next. */
export function Waiting({ name }: { readonly name: string }) {
  const pages = usePages(`waiting ${name}`, async (cursor, signal) => {
    const { events, pagination } = await hub.peekInbox(name, { cursor, limit: 100 }, { signal })
    return { items: events, pagination }
  })
  return (
    <Table
      label={`Waiting in ${name}, oldest first`}
      columns={columns}
      pages={pages}
      keyOf={({ event_id: id }) => id}
      hrefOf={({ event_id: id }) => toHref(['events', id], { inbox: name })}
      empty={<Empty title="Nothing waits">Every event that this inbox wants was handed out and settled.</Empty>}
    />
  )
}
