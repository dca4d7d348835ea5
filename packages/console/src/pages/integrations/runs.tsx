import type { Run } from '@sluice/client/admin'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { Badge } from '../../ui/badge.tsx'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

const columns: readonly Column<Run>[] = [
  { title: 'Action', width: 'minmax(120px, 2fr)', cell: ({ action }) => <span class="strong">{action}</span> },
  {
    title: 'Outcome',
    width: '132px',
    cell: ({ type }) => <Badge tone={type === 'action' ? 'good' : 'bad'}>{type.replaceAll('_', ' ')}</Badge>,
  },
  { title: 'By', width: 'minmax(90px, 1fr)', isExtra: true, cell: ({ user_id: user, door }) => `${user}, ${door}` },
  { title: 'Took', width: '84px', isNumber: true, isExtra: true, cell: ({ ms }) => `${ms} ms` },
  {
    title: 'Cost',
    width: '84px',
    isNumber: true,
    isExtra: true,
    cell: ({ cost_usd: cost }) => (cost === null ? '–' : `$${cost}`),
  },
  { title: 'When', width: '92px', isNumber: true, cell: ({ at }) => <Time at={at} /> },
]

export function Runs({ integration }: { readonly integration: string }) {
  const mayRead = useMay('read')
  const pages = usePages(`runs ${integration}`, async (cursor, signal) => {
    const { runs, pagination } = await hub.listRuns({ integration, cursor, limit: 100 }, { signal })
    return { items: runs, pagination }
  })
  if (!mayRead) return <Empty title="Not for this role">Runs are shown to those who may read.</Empty>
  return (
    <Table
      label={`Runs of ${integration}, newest first`}
      columns={columns}
      pages={pages}
      keyOf={({ run_id: id }) => id}
      empty={
        <Empty title="No runs">
          Runs of its actions in the last 7 days are listed here, with what they took and cost.
        </Empty>
      }
    />
  )
}
