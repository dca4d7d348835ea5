import type { Attempt } from '@sluice/client/admin'
import { toHref } from '../../address.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { Badge } from '../../ui/badge.tsx'
import { shorten } from '../../ui/copy.tsx'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

const columns: readonly Column<Attempt>[] = [
  { title: 'Event', width: '148px', cell: ({ event_id: id }) => <span class="mono">{shorten(id)}</span> },
  { title: 'Attempt', width: '68px', isNumber: true, isExtra: true, cell: ({ attempt }) => attempt },
  {
    title: 'Outcome',
    width: '96px',
    cell: ({ outcome }) => <Badge tone={outcome === 'dead' ? 'bad' : 'wait'}>{outcome}</Badge>,
  },
  {
    title: 'Reason',
    width: 'minmax(120px, 3fr)',
    isExtra: true,
    cell: ({ reason }) => reason ?? <span class="faint">–</span>,
  },
  { title: 'When', width: '92px', isNumber: true, cell: ({ at }) => <Time at={at} /> },
]

export function Attempts({ name }: { readonly name: string }) {
  const pages = usePages(`attempts ${name}`, async (cursor, signal) => {
    const { attempts, pagination } = await hub.listAttempts(name, { cursor, limit: 100 }, { signal })
    return { items: attempts, pagination }
  })
  return (
    <Table
      label={`Failed attempts of ${name}, newest first`}
      columns={columns}
      pages={pages}
      keyOf={({ event_id: id, attempt, at }) => `${id} ${attempt} ${at}`}
      hrefOf={({ event_id: id }) => toHref(['events', id], { inbox: name })}
      empty={
        <Empty title="No failed attempts">
          Hand-outs that were given back, ran out or died in the last 7 days are listed here.
        </Empty>
      }
    />
  )
}
