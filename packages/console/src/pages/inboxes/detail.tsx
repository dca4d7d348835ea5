import type { Inbox } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { go, toHref } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { hub } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { useCommands } from '../../ui/commands.ts'
import { ask } from '../../ui/dialog.tsx'
import { Figures } from '../../ui/figures.tsx'
import { toAmount, toCount, toSpan } from '../../ui/format.ts'
import { Menu } from '../../ui/menu.tsx'
import { PageHead, Tabs } from '../../ui/page-head.tsx'
import { Broken, Skeleton } from '../../ui/states.tsx'
import { Attempts } from './attempts.tsx'
import { DeadLetters } from './dead-letters.tsx'
import { InboxState, toOpenCount } from './look.tsx'
import { Seek } from './seek.tsx'
import { Settings } from './settings.tsx'
import { Waiting } from './waiting.tsx'

const tabs = [
  { name: 'waiting', title: 'Waiting' },
  { name: 'dead-letters', title: 'Dead letters' },
  { name: 'attempts', title: 'Failed attempts' },
  { name: 'settings', title: 'Settings' },
] as const

export function InboxDetail({ name, tab }: { readonly name: string; readonly tab: string }) {
  const loaded = useLoad(`inbox ${name}`, (signal) => hub.getInbox(name, { signal }))
  const inbox = loaded.value
  useCommands([{ name: 'Back to the inboxes', key: 'Escape', run: () => go(['inboxes']) }])
  if (loaded.failure && !inbox) return <Broken failure={loaded.failure} retry={loaded.reload} />
  return (
    <>
      <PageHead title={name} up={{ path: ['inboxes'], name: 'Inboxes' }} note={inbox && <InboxState inbox={inbox} />}>
        {inbox && <Actions inbox={inbox} onChange={loaded.set} />}
      </PageHead>
      {inbox ? <Progress inbox={inbox} /> : <Skeleton rows={1} height={68} />}
      <Tabs
        label={`Parts of ${name}`}
        current={tab}
        tabs={tabs.map((one) => ({
          ...one,
          count: one.name === 'dead-letters' ? inbox?.dead || undefined : undefined,
        }))}
        hrefOf={(one) => toHref(one === 'waiting' ? ['inboxes', name] : ['inboxes', name, one])}
      />
      {tab === 'waiting' && <Waiting name={name} />}
      {tab === 'dead-letters' && <DeadLetters name={name} onChange={loaded.reload} />}
      {tab === 'attempts' && <Attempts name={name} />}
      {tab === 'settings' && inbox && <Settings key={inbox.revision} inbox={inbox} onSaved={loaded.set} />}
    </>
  )
}

function Progress({ inbox }: { readonly inbox: Inbox }) {
  const { behind, waiting, leased, parked, dead, oldest_age_seconds: age } = inbox
  return (
    <Figures
      figures={[
        { name: 'Behind', value: toCount(behind), hint: 'positions of the log not yet looked at' },
        {
          name: 'Waiting',
          value: toCount(waiting),
          hint: 'given back, can be leased now',
          tone: waiting > 0 ? 'wait' : undefined,
        },
        {
          name: 'Leased',
          value: toCount(leased),
          hint: 'handed out, not yet settled',
          tone: leased > 0 ? 'flight' : undefined,
        },
        {
          name: 'Parked',
          value: toCount(parked),
          hint: 'given back with a delay that still runs',
          tone: parked > 0 ? 'wait' : undefined,
        },
        {
          name: 'Dead letters',
          value: toCount(dead),
          hint: 'given up after too many attempts',
          tone: dead > 0 ? 'bad' : undefined,
        },
        { name: 'Oldest', value: age === null ? '–' : toSpan(age), hint: 'age of the oldest event that is not done' },
      ]}
    />
  )
}

type ActionsProps = { readonly inbox: Inbox; readonly onChange: (inbox: Inbox) => void }

function Actions({ inbox, onChange }: ActionsProps) {
  const { key, status } = inbox
  const [isSeeking, setIsSeeking] = useState(false)
  const { isBusy, run } = useDeed()
  const mayChange = useMay('inbox')
  const isPaused = status === 'paused'
  const toggle = async (): Promise<void> => {
    const open = toOpenCount(inbox)
    const preview = `${toAmount(open, 'position')} of the log wait; what the filter wants of them is handed out from then on.`
    const isSure = !isPaused || (await ask({ title: `Resume ${key}?`, text: preview, verb: `Resume ${key}` }))
    if (isSure)
      await run(async () => {
        onChange(isPaused ? await hub.resumeInbox(key) : await hub.pauseInbox(key))
        return isPaused ? `${key} hands out again` : `${key} is paused: events wait`
      })
  }
  useCommands(
    mayChange
      ? [
          { name: isPaused ? `Resume ${key}` : `Pause ${key}`, run: () => void toggle() },
          { name: `Seek ${key}`, run: () => setIsSeeking(true) },
          { name: `Delete ${key}`, run: () => void remove(inbox, run) },
        ]
      : [],
  )
  if (!mayChange) return null
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => void toggle()}>
        {isPaused ? 'Resume' : 'Pause'}
      </button>
      <Menu
        label="More…"
        entries={[
          { name: 'Seek…', run: () => setIsSeeking(true) },
          ...(key === 'default' ? [] : [{ name: 'Delete…', isDangerous: true, run: () => void remove(inbox, run) }]),
        ]}
      />
      {isSeeking && <Seek inbox={inbox} onClose={() => setIsSeeking(false)} onChange={onChange} />}
    </>
  )
}

async function remove({ key, dead }: Inbox, run: ReturnType<typeof useDeed>['run']): Promise<void> {
  const text = `Its progress and ${toAmount(dead, 'dead letter')} go with it. The events stay in the log.`
  if (!(await ask({ title: `Delete ${key}?`, text, verb: `Delete ${key}`, name: key, isDangerous: true }))) return
  const isGone = await run(async () => {
    await hub.deleteInbox(key)
    return `Inbox ${key} is gone`
  })
  if (isGone) go(['inboxes'])
}
