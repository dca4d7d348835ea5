import type { EventType } from '@sluice/client/admin'
import { toHref, useAddress } from '../../address.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { Badge, type Tone } from '../../ui/badge.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { TypeDetail } from './detail.tsx'

const tones: Record<EventType['mode'], Tone> = { off: 'off', warn: 'wait', quarantine: 'wait', reject: 'bad' }

export const Mode = ({ mode }: Pick<EventType, 'mode'>) => <Badge tone={tones[mode]}>{mode}</Badge>

const columns: readonly Column<EventType>[] = [
  { title: 'Type', width: 'minmax(150px, 2fr)', cell: ({ name }) => <span class="strong">{name}</span> },
  {
    title: 'What it tells',
    width: 'minmax(140px, 3fr)',
    isExtra: true,
    cell: ({ description }) => <span class="soft">{description ?? '–'}</span>,
  },
  { title: 'Category', width: '110px', isExtra: true, cell: ({ category }) => category ?? '–' },
  {
    title: 'Schema',
    width: '72px',
    isExtra: true,
    isNumber: true,
    cell: ({ version }) => (version > 0 ? `v${version}` : '–'),
  },
  { title: 'On a fault', width: '108px', cell: ({ mode }) => <Mode mode={mode} /> },
  { title: 'Changed', width: '84px', isNumber: true, isExtra: true, cell: ({ updated_at: at }) => <Time at={at} /> },
]

export function Page() {
  const { path } = useAddress()
  const name = path[1]
  return name === undefined ? <TypeList /> : <TypeDetail key={name} name={name} />
}

function TypeList() {
  const pages = usePages('event types', async (cursor, signal) => {
    const { event_types: types, pagination } = await hub.listEventTypes({ cursor, limit: 100 }, { signal })
    return { items: types, pagination }
  })
  return (
    <>
      <PageHead title="Event types" />
      <Table
        label="Event types"
        columns={columns}
        pages={pages}
        keyOf={({ name }) => name}
        hrefOf={({ name }) => toHref(['event-types', name])}
        empty={
          <Empty title="No event types">
            An event type describes what events of that name hold, and says what becomes of those that do not.{' '}
            <code>sluice types import</code> brings them from a file.
          </Empty>
        }
      />
    </>
  )
}
