import type { Workspace } from '@sluice/client/admin'
import { useLoad } from '../../hooks/use-load.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub, hubUrl } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { Badge } from '../../ui/badge.tsx'
import { Figures } from '../../ui/figures.tsx'
import { toBytes, toCount, toSpan } from '../../ui/format.ts'
import { PageHead } from '../../ui/page-head.tsx'
import { Broken, Empty, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

/** How the hub is: the node that has answered, and what all nodes keep. */
export function Page() {
  const isInstance = useMay('instance')
  const loaded = useLoad('system', async (signal) => {
    const [health, status, metrics] = await Promise.all([
      hub.getHealth({ signal }),
      hub.getStatus({ signal }),
      hub.getMetrics({ signal }),
    ])
    return { health, status, metrics: readMetrics(metrics) }
  })
  if (loaded.failure && !loaded.value) return <Broken failure={loaded.failure} retry={loaded.reload} />
  const found = loaded.value
  return (
    <>
      <PageHead
        title="System"
        note={found && <Badge tone={found.health.status === 'ok' ? 'good' : 'bad'}>{found.health.status}</Badge>}
      >
        <button type="button" class="ghost" onClick={loaded.reload}>
          Refresh
        </button>
        <a class="button" href={`${hubUrl}docs`} target="_blank" rel="noreferrer">
          API reference
        </a>
      </PageHead>
      {found ? (
        <>
          <Figures
            figures={[
              { name: 'Version', value: found.status.version },
              { name: 'Up for', value: toSpan(found.status.uptime_seconds) },
              { name: 'Memory', value: toBytes(found.metrics('process_resident_memory_bytes')) },
              { name: 'Waiting to be written', value: toCount(found.metrics('sluice_store_queue_events')) },
              { name: 'Groups written', value: toCount(found.metrics('sluice_store_commits_total')) },
            ]}
          />
          <h2 class="apart">Parts of this node</h2>
          <ul class="verdicts">
            {Object.entries(found.health.checks).map(([name, state]) => (
              <li key={name} class="verdict">
                <span class="strong">{name}</span>
                <Badge tone={state === 'ok' ? 'good' : 'bad'}>{state === 'ok' ? 'ok' : 'failing'}</Badge>
                <span class="why soft">{state === 'ok' ? '' : `${state}; the log of the hub says more`}</span>
              </li>
            ))}
          </ul>
          <h2 class="apart">What is kept</h2>
          <dl class="facts">
            {kept.map(([what, howLong]) => (
              <div key={what}>
                <dt>{what}</dt>
                <dd>{howLong}</dd>
              </div>
            ))}
          </dl>
        </>
      ) : (
        <Skeleton rows={6} />
      )}
      {isInstance && <Workspaces />}
    </>
  )
}

const kept: readonly (readonly [string, string])[] = [
  ['Events', '30 days after every inbox has passed them; 90 days in any case'],
  ['Attempts', '7 days'],
  ['Keys of repeats', '7 days'],
  ['Activity', 'by the minute 2 days, by the hour 31 days'],
]

/** The value of a metric without labels; 0 for one that is not there. */
function readMetrics(text: string): (name: string) => number {
  const values = new Map(text.split('\n').map((line) => line.split(' ', 2) as [string, string]))
  return (name) => Number(values.get(name) ?? 0)
}

const columns: readonly Column<Workspace>[] = [
  { title: 'Workspace', width: 'minmax(120px, 2fr)', cell: ({ key }) => <span class="strong">{key}</span> },
  { title: 'Events', width: '92px', isNumber: true, cell: ({ events }) => toCount(events) },
  { title: 'Inboxes', width: '76px', isNumber: true, isExtra: true, cell: ({ inboxes }) => inboxes },
  { title: 'Quarantine', width: '92px', isNumber: true, isExtra: true, cell: ({ quarantined }) => quarantined },
  { title: 'Since', width: '92px', isNumber: true, cell: ({ created_at: at }) => <Time at={at} /> },
]

function Workspaces() {
  const pages = usePages('workspaces', async (cursor, signal) => {
    const { workspaces, pagination } = await hub.listWorkspaces({ cursor, limit: 100 }, { signal })
    return { items: workspaces, pagination }
  })
  return (
    <>
      <h2 class="apart">Workspaces</h2>
      <Table
        label="Workspaces"
        columns={columns}
        pages={pages}
        keyOf={({ key }) => key}
        empty={<Empty title="No workspaces" />}
      />
    </>
  )
}
