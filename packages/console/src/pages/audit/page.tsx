import type { AuditEntry } from '@sluice/client/admin'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { PageHead } from '../../ui/page-head.tsx'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

const columns: readonly Column<AuditEntry>[] = [
  { title: 'What', width: 'minmax(130px, 1fr)', cell: ({ verb }) => <span class="strong">{verb}</span> },
  { title: 'On', width: 'minmax(110px, 1fr)', cell: ({ target }) => <span class="mono">{target}</span> },
  { title: 'By', width: 'minmax(120px, 1fr)', isExtra: true, cell: ({ actor }) => <span class="mono">{actor}</span> },
  {
    title: 'Details',
    width: 'minmax(140px, 2fr)',
    isExtra: true,
    cell: ({ details }) =>
      Object.keys(details).length === 0 ? '' : <span class="mono soft">{JSON.stringify(details)}</span>,
  },
  { title: 'When', width: '92px', isNumber: true, cell: ({ at }) => <Time at={at} /> },
]

/** Who did what; an actor is a key id, `cli`, or the hub itself. */
export function Page() {
  const pages = usePages('audit', async (cursor, signal) => {
    const { entries, pagination } = await hub.listAudit({ cursor, limit: 100 }, { signal })
    return { items: entries, pagination }
  })
  return (
    <>
      <PageHead title="Audit log">
        <button type="button" class="ghost" onClick={pages.reload}>
          Refresh
        </button>
      </PageHead>
      <Table
        label="Audit log, newest first"
        columns={columns}
        pages={pages}
        keyOf={(entry) => `${entry.at} ${entry.verb} ${entry.target}`}
        empty={
          <Empty title="Nothing yet">
            Keys, seeks, replays, erasures: whoever changes something is written down here.
          </Empty>
        }
      />
    </>
  )
}
