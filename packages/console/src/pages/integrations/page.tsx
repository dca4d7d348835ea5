import type { Integration } from '@sluice/client/admin'
import { go, toHref, useAddress } from '../../address.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { useCommands } from '../../ui/commands.ts'
import { toAmount } from '../../ui/format.ts'
import { PageHead, Tabs } from '../../ui/page-head.tsx'
import { Broken, Empty, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Action } from './action.tsx'
import { Runs } from './runs.tsx'

const columns: readonly Column<Integration>[] = [
  {
    title: 'Integration',
    width: 'minmax(130px, 1fr)',
    cell: ({ display_name: name }) => <span class="strong">{name}</span>,
  },
  {
    title: 'What it does',
    width: 'minmax(140px, 3fr)',
    isExtra: true,
    cell: ({ description }) => <span class="soft">{description}</span>,
  },
  { title: 'Actions', width: '72px', isNumber: true, cell: ({ actions }) => actions.length },
  {
    title: 'Triggers',
    width: '72px',
    isNumber: true,
    isExtra: true,
    cell: ({ polling_triggers: triggers }) => triggers.length,
  },
  { title: 'Version', width: '76px', isExtra: true, isNumber: true, cell: ({ version }) => version },
]

export function Page() {
  const { path } = useAddress()
  const name = path[1]
  return name === undefined ? <IntegrationList /> : <IntegrationDetail key={name} name={name} part={path[2]} />
}

function IntegrationList() {
  const pages = usePages('integrations', async (cursor, signal) => {
    const { integrations, pagination } = await hub.listIntegrations({ cursor, limit: 100 }, { signal })
    return { items: integrations, pagination }
  })
  return (
    <>
      <PageHead title="Integrations" />
      <Table
        label="Integrations"
        columns={columns}
        pages={pages}
        keyOf={({ name }) => name}
        hrefOf={({ name }) => toHref(['integrations', name])}
        empty={
          <Empty title="No integrations">
            Start the hub with <code>--integrations FOLDER</code>: each folder in it is an outside service with its
            actions.
          </Empty>
        }
      />
    </>
  )
}

function IntegrationDetail({ name, part }: { readonly name: string; readonly part: string | undefined }) {
  const loaded = useLoad(`integration ${name}`, (signal) => hub.getIntegration(name, { signal }))
  useCommands([{ name: 'Back to the integrations', key: 'Escape', run: () => go(['integrations']) }])
  if (loaded.failure && !loaded.value) return <Broken failure={loaded.failure} retry={loaded.reload} />
  const found = loaded.value
  if (!found) return <Skeleton rows={8} />
  const action = found.actions.find((one) => one.name === part)
  return (
    <>
      <PageHead
        title={action ? (action.display_name ?? action.name) : found.display_name}
        up={
          action
            ? { path: ['integrations', name], name: found.display_name }
            : { path: ['integrations'], name: 'Integrations' }
        }
        note={<span class="soft small">{found.version}</span>}
      />
      {action ? (
        <Action key={action.name} integration={found} action={action} />
      ) : (
        <>
          <p class="soft">{found.description}</p>
          <Tabs
            label={`Parts of ${name}`}
            current={part ?? ''}
            tabs={[
              { name: '', title: 'Actions' },
              { name: 'runs', title: 'Runs' },
            ]}
            hrefOf={(one) => toHref(['integrations', name, ...(one ? [one] : [])])}
          />
          {part === 'runs' ? <Runs integration={name} /> : <Contents integration={found} />}
        </>
      )}
    </>
  )
}

function Contents({ integration }: { readonly integration: Integration }) {
  const { name, actions, polling_triggers: triggers, auth } = integration
  return (
    <div class="definition">
      <p class="soft small">{auth ? `It needs a connection (${auth.type}).` : 'It needs no connection.'}</p>
      <ul class="verdicts">
        {actions.map((action) => (
          <li key={action.name} class="verdict">
            <a class="strong" href={toHref(['integrations', name, action.name])}>
              {action.display_name ?? action.name}
            </a>
            <span class="why soft">{action.description}</span>
          </li>
        ))}
      </ul>
      {triggers.length > 0 && (
        <p class="soft">
          {toAmount(triggers.length, 'polling trigger')}:{' '}
          {triggers.map((one) => one.display_name ?? one.name).join(', ')}.{' '}
          <a href={toHref(['triggers'])}>Those at work</a> have a page of their own.
        </p>
      )}
    </div>
  )
}
