import type { Quarantined } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { go, toHref, useAddress } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { Copy } from '../../ui/copy.tsx'
import { useCommands } from '../../ui/commands.ts'
import { ask } from '../../ui/dialog.tsx'
import { toAmount } from '../../ui/format.ts'
import { PageHead } from '../../ui/page-head.tsx'
import { Broken, Empty, Skeleton } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

const columns: readonly Column<Quarantined>[] = [
  { title: 'Type', width: 'minmax(150px, 2fr)', cell: ({ event_type: type }) => <span class="strong">{type}</span> },
  {
    title: 'What is wrong',
    width: 'minmax(140px, 3fr)',
    isExtra: true,
    cell: ({ errors }) => (
      <span class="soft">{errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')}</span>
    ),
  },
  { title: 'Since', width: '92px', isNumber: true, cell: ({ quarantined_at: at }) => <Time at={at} /> },
]

export function Page() {
  const { path } = useAddress()
  const id = path[1]
  return id === undefined ? <QuarantineList /> : <QuarantineDetail key={id} id={id} />
}

function QuarantineList() {
  const pages = usePages('quarantine', async (cursor, signal) => {
    const { quarantined, pagination } = await hub.listQuarantine({ cursor, limit: 100 }, { signal })
    return { items: quarantined, pagination }
  })
  return (
    <>
      <PageHead title="Quarantine" />
      <Table
        label="Events in quarantine, oldest first"
        columns={columns}
        pages={pages}
        keyOf={({ quarantine_id: id }) => id}
        hrefOf={({ quarantine_id: id }) => toHref(['quarantine', id])}
        empty={
          <Empty title="Nothing in quarantine">
            Events that their schema refuses are kept here, in no inbox, where their type says so, until somebody
            releases, fixes or discards them.
          </Empty>
        }
      />
    </>
  )
}

function QuarantineDetail({ id }: { readonly id: string }) {
  const loaded = useLoad(`quarantined ${id}`, (signal) => hub.getQuarantined(id, { signal }))
  const back = (): void => go(['quarantine'])
  useCommands([{ name: 'Back to quarantine', key: 'Escape', run: back }])
  if (loaded.failure && !loaded.value) return <Broken failure={loaded.failure} retry={loaded.reload} />
  const found = loaded.value
  if (!found) return <Skeleton rows={8} />
  return (
    <>
      <PageHead title={found.event_type} up={{ path: ['quarantine'], name: 'Quarantine' }} />
      <div class="definition">
        <p class="soft small">
          <Copy text={id} what="quarantine id" /> since <Time at={found.quarantined_at} exact />, refused by version{' '}
          {found.version} of <a href={toHref(['event-types', found.event_type])}>its schema</a>
        </p>
        <ul class="faults">
          {found.errors.map(({ pointer, detail }) => (
            <li key={pointer + detail}>
              <code>{pointer || '/'}</code> {detail}
            </li>
          ))}
        </ul>
        <Fix id={id} type={found.event_type} payload={found.event['payload']} onDone={back} />
      </div>
    </>
  )
}

type FixProps = { readonly id: string; readonly type: string; readonly payload: unknown; readonly onDone: () => void }

/** Three ways out: as it is, with another payload, or not at all. */
function Fix({ id, type, payload, onDone }: FixProps) {
  const [text, setText] = useState(() => JSON.stringify(payload, null, 2))
  const { isBusy, run } = useDeed()
  const mayDecide = useMay('admin')
  const act = async (deed: () => Promise<string | undefined>): Promise<void> => {
    if (await run(deed)) onDone()
  }
  const discard = async (): Promise<void> => {
    if (
      !(await ask({
        title: 'Discard 1 event?',
        text: `This ${type} is given up for good.`,
        verb: 'Discard 1 event',
        isDangerous: true,
      }))
    )
      return
    await act(async () => {
      const { count } = await hub.discardQuarantined({ quarantine_ids: [id] })
      return `Discarded ${toAmount(count, 'event')}`
    })
  }
  const release = (): Promise<void> =>
    act(async () => {
      const { released } = await hub.releaseQuarantined({ quarantine_ids: [id] })
      if (released === 0) throw new Error('It still does not match its schema. Fix the payload, or change the schema.')
      return 'Published'
    })
  const fix = (): Promise<void> =>
    act(async () => {
      await hub.fixQuarantined(id, JSON.parse(text) as Record<string, unknown>) // the hub judges what it is
      return 'Published with the payload of here'
    })
  return (
    <>
      <label>
        <span>Payload</span>
        <textarea
          class="mono"
          rows={14}
          value={text}
          readOnly={!mayDecide}
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {mayDecide && (
        <div class="row">
          <button type="button" class="primary" disabled={isBusy} onClick={() => void fix()}>
            Publish this payload
          </button>
          <button type="button" disabled={isBusy} onClick={() => void release()}>
            Check again
          </button>
          <button type="button" class="dangerous" disabled={isBusy} onClick={() => void discard()}>
            Discard…
          </button>
        </div>
      )}
    </>
  )
}
