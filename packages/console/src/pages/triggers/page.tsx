import type { Poll, Trigger } from '@sluice/client/admin'
import { go, toHref, useAddress } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { Badge, type Tone } from '../../ui/badge.tsx'
import { useCommands } from '../../ui/commands.ts'
import { ask } from '../../ui/dialog.tsx'
import { Figures } from '../../ui/figures.tsx'
import { toAmount, toSpan } from '../../ui/format.ts'
import { Menu } from '../../ui/menu.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Broken, Empty, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

function State({ trigger: { status, failures } }: { readonly trigger: Trigger }) {
  if (status === 'paused') return <Badge tone="off">paused</Badge>
  return failures > 0 ? <Badge tone="bad">failing</Badge> : <Badge tone="good">active</Badge>
}

const columns: readonly Column<Trigger>[] = [
  { title: 'Trigger', width: 'minmax(120px, 1fr)', cell: ({ key }) => <span class="strong">{key}</span> },
  {
    title: 'Asks',
    width: 'minmax(120px, 2fr)',
    isExtra: true,
    cell: ({ integration, polling_trigger: name }) => `${integration}.${name}`,
  },
  { title: 'State', width: '92px', cell: (trigger) => <State trigger={trigger} /> },
  {
    title: 'Every',
    width: '72px',
    isNumber: true,
    isExtra: true,
    cell: ({ interval_seconds: seconds }) => toSpan(seconds),
  },
  {
    title: 'Last good',
    width: '92px',
    isNumber: true,
    cell: ({ last_poll_at: at }) => (at ? <Time at={at} /> : <span class="faint">never</span>),
  },
]

export function Page() {
  const { path } = useAddress()
  const key = path[1]
  return key === undefined ? <TriggerList /> : <TriggerDetail key={key} name={key} />
}

function TriggerList() {
  const pages = usePages('triggers', async (cursor, signal) => {
    const { triggers, pagination } = await hub.listTriggers({ cursor, limit: 100 }, { signal })
    return { items: triggers, pagination }
  })
  return (
    <>
      <PageHead title="Triggers" />
      <Table
        label="Triggers"
        columns={columns}
        pages={pages}
        keyOf={({ key }) => key}
        hrefOf={({ key }) => toHref(['triggers', key])}
        empty={
          <Empty title="No triggers">
            A polling trigger asks an outside service now and then; its new records become events.{' '}
            <code>sluice triggers put</code> makes one.
          </Empty>
        }
      />
    </>
  )
}

const outcomes: Record<Poll['outcome'], Tone> = { good: 'good', failed: 'bad', superseded: 'off' }

const pollColumns: readonly Column<Poll>[] = [
  { title: 'When', width: '92px', cell: ({ at }) => <Time at={at} /> },
  { title: 'Outcome', width: '112px', cell: ({ outcome }) => <Badge tone={outcomes[outcome]}>{outcome}</Badge> },
  { title: 'Found', width: '64px', isNumber: true, cell: ({ found }) => found },
  { title: 'New', width: '64px', isNumber: true, cell: ({ published }) => published },
  { title: 'Took', width: '84px', isNumber: true, isExtra: true, cell: ({ ms }) => `${ms} ms` },
  { title: 'Error', width: 'minmax(120px, 3fr)', isExtra: true, cell: ({ error }) => error ?? '' },
]

function TriggerDetail({ name }: { readonly name: string }) {
  const loaded = useLoad(`trigger ${name}`, (signal) => hub.getTrigger(name, { signal }))
  const polls = usePages(`polls ${name}`, async (cursor, signal) => {
    const page = await hub.listPolls(name, { cursor, limit: 100 }, { signal })
    return { items: page.polls, pagination: page.pagination }
  })
  useCommands([{ name: 'Back to the triggers', key: 'Escape', run: () => go(['triggers']) }])
  const trigger = loaded.value
  if (loaded.failure && !trigger) return <Broken failure={loaded.failure} retry={loaded.reload} />
  const reload = (): void => {
    loaded.reload()
    polls.reload()
  }
  return (
    <>
      <PageHead
        title={name}
        up={{ path: ['triggers'], name: 'Triggers' }}
        note={trigger && <State trigger={trigger} />}
      >
        {trigger && <Actions trigger={trigger} onChange={reload} />}
      </PageHead>
      {trigger ? <Facts trigger={trigger} /> : <Skeleton rows={1} height={68} />}
      <Table
        label={`Polls of ${name}, newest first`}
        columns={pollColumns}
        pages={polls}
        keyOf={({ at, outcome }) => `${at} ${outcome}`}
        empty={<Empty title="Not polled yet">Polls of the last 7 days are listed here.</Empty>}
      />
    </>
  )
}

function Facts({ trigger }: { readonly trigger: Trigger }) {
  const {
    integration,
    polling_trigger: asked,
    connection,
    interval_seconds: seconds,
    failures,
    last_error: error,
  } = trigger
  return (
    <>
      <Figures
        figures={[
          { name: 'Asks', value: `${integration}.${asked}` },
          { name: 'Connection', value: connection ?? 'none' },
          { name: 'Every', value: toSpan(seconds) },
          { name: 'Failures in a row', value: String(failures), tone: failures > 0 ? 'bad' : undefined },
        ]}
      />
      {error && <p class="notice bad">{error}</p>}
    </>
  )
}

function Actions({ trigger, onChange }: { readonly trigger: Trigger; readonly onChange: () => void }) {
  const { key, status } = trigger
  const { isBusy, run } = useDeed()
  const act = async (deed: () => Promise<string>): Promise<void> => {
    await run(deed)
    onChange()
  }
  const remove = async (): Promise<void> => {
    const text = 'What it has seen is forgotten with it: made anew, it begins anew.'
    if (!(await ask({ title: `Remove ${key}?`, text, verb: `Remove ${key}`, name: key, isDangerous: true }))) return
    const isGone = await run(async () => {
      await hub.deleteTrigger(key)
      return `Trigger ${key} is gone`
    })
    if (isGone) go(['triggers'])
  }
  const isPaused = status === 'paused'
  return (
    <>
      <button
        type="button"
        disabled={isBusy}
        onClick={() =>
          void act(async () => {
            await (isPaused ? hub.resumeTrigger(key) : hub.pauseTrigger(key))
            return isPaused ? `${key} polls again` : `${key} is paused`
          })
        }
      >
        {isPaused ? 'Resume' : 'Pause'}
      </button>
      <button
        type="button"
        class="primary"
        disabled={isBusy}
        onClick={() =>
          void act(async () => {
            const { found, published } = await hub.runTrigger(key)
            return `Polled: ${toAmount(found, 'record')}, ${published} new`
          })
        }
      >
        Poll now
      </button>
      <Menu label="More…" entries={[{ name: 'Remove…', isDangerous: true, run: () => void remove() }]} />
    </>
  )
}
