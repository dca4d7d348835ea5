import type { DeadLetter, DeadLetterSelection } from '@sluice/client/admin'
import { change, toHref, useAddress } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { useCommands } from '../../ui/commands.ts'
import { ask } from '../../ui/dialog.tsx'
import { toAmount } from '../../ui/format.ts'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

const columns: readonly Column<DeadLetter>[] = [
  { title: 'Type', width: 'minmax(150px, 2fr)', cell: ({ event_type: type }) => <span class="strong">{type}</span> },
  { title: 'Attempts', width: '76px', isNumber: true, isExtra: true, cell: ({ attempts }) => attempts },
  {
    title: 'Reason',
    width: 'minmax(120px, 3fr)',
    isExtra: true,
    cell: ({ reason }) => reason ?? <span class="faint">–</span>,
  },
  { title: 'Died', width: '92px', isNumber: true, cell: ({ dead_at: at }) => <Time at={at} /> },
]

type Props = { readonly name: string; readonly onChange: () => void }

/** What was given up; all of it, or those of one type, can be handed out again or discarded. */
export function DeadLetters({ name, onChange }: Props) {
  const { query } = useAddress()
  const type = query['event_type']
  const mayChange = useMay('inbox')
  const { isBusy, run } = useDeed()
  const pages = usePages(`dead ${name}`, async (cursor, signal) => {
    const { dead_letters: letters, pagination } = await hub.listDeadLetters(name, { cursor, limit: 100 }, { signal })
    return { items: letters, pagination }
  })
  const settle = async (verb: 'replay' | 'discard'): Promise<void> => {
    const isDone = await run(() => settleAll(name, verb, type ? { filter: { event_type: type } } : { all: true }))
    if (!isDone) return
    pages.reload()
    onChange()
  }
  useCommands(
    mayChange
      ? [
          { name: `Replay the dead letters of ${name}`, key: 'r', run: () => void settle('replay') },
          { name: `Discard the dead letters of ${name}`, run: () => void settle('discard') },
        ]
      : [],
  )
  const types = [...new Set(pages.items.map(({ event_type: one }) => one))].toSorted()
  return (
    <>
      {pages.items.length > 0 && mayChange && (
        <div class="toolbar">
          <label class="inline">
            <span>Of type</span>
            <select value={type ?? ''} onChange={(event) => change({ event_type: event.currentTarget.value })}>
              <option value="">all types</option>
              {types.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
          <button type="button" disabled={isBusy} onClick={() => void settle('replay')}>
            Replay…
          </button>
          <button type="button" class="dangerous" disabled={isBusy} onClick={() => void settle('discard')}>
            Discard…
          </button>
        </div>
      )}
      <Table
        label={`Dead letters of ${name}, oldest first`}
        columns={columns}
        pages={type ? { ...pages, items: pages.items.filter((letter) => letter.event_type === type) } : pages}
        keyOf={({ event_id: id }) => id}
        hrefOf={({ event_id: id }) => toHref(['events', id], { inbox: name })}
        empty={
          <Empty title="No dead letters">
            An event comes here after its last attempt, with the reason; it waits until somebody replays or discards it.
          </Empty>
        }
      />
    </>
  )
}

/** Counts first, so that the question says how many. */
async function settleAll(
  name: string,
  verb: 'replay' | 'discard',
  selection: DeadLetterSelection,
): Promise<string | undefined> {
  const settle = verb === 'replay' ? hub.replayDeadLetters : hub.discardDeadLetters
  const { count } = await settle(name, { ...selection, dry_run: true })
  const letters = toAmount(count, 'dead letter')
  if (count === 0) return 'There are none any more'
  const isSure = await ask(
    verb === 'replay'
      ? {
          title: `Replay ${letters}?`,
          text: `"${name}" hands them out again, with no attempts counted.`,
          verb: `Replay ${letters}`,
        }
      : {
          title: `Discard ${letters}?`,
          text: `"${name}" gives them up for good. Their events stay in the log.`,
          verb: `Discard ${letters}`,
          name,
          isDangerous: true,
        },
  )
  if (!isSure) return undefined
  const { count: done } = await settle(name, selection)
  return `${verb === 'replay' ? 'Replayed' : 'Discarded'} ${toAmount(done, 'dead letter')}`
}
