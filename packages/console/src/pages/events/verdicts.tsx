import type { Attempt, Verdict } from '@sluice/client/admin'
import { toHref } from '../../address.ts'
import { Badge, type Tone } from '../../ui/badge.tsx'
import { toAmount } from '../../ui/format.ts'
import { Time } from '../../ui/time.tsx'

const tones: Record<Verdict['verdict'], Tone> = {
  waiting: 'wait',
  parked: 'wait',
  leased: 'flight',
  acknowledged: 'good',
  dead: 'bad',
  expired: 'bad',
  filtered: 'off',
  'passed-by-seek': 'off',
  'before-start': 'off',
  erased: 'off',
}

type Props = {
  readonly verdicts: readonly Verdict[]
  readonly onReplay: ((verdict: Verdict) => Promise<void>) | undefined
}

/** A row for each inbox; it opens to the attempts. */
export function Verdicts({ verdicts, onReplay }: Props) {
  return (
    <ul class="verdicts">
      {verdicts.map((verdict) => (
        <li key={verdict.inbox}>
          <div class="verdict">
            <a class="strong" href={toHref(['inboxes', verdict.inbox])}>
              {verdict.inbox}
            </a>
            <Badge tone={tones[verdict.verdict]}>{verdict.verdict.replaceAll('-', ' ')}</Badge>
            <span class="soft why">
              <Why verdict={verdict} />
            </span>
            {onReplay && (
              <button type="button" class="small" onClick={() => void onReplay(verdict)}>
                Replay
              </button>
            )}
          </div>
          {verdict.history.length > 0 && (
            <Attempts history={verdict.history} isOpen={verdict.verdict !== 'acknowledged'} />
          )}
        </li>
      ))}
    </ul>
  )
}

function Why({ verdict }: { readonly verdict: Verdict }) {
  const { rule, revision, reason, attempts, leased_until: leasedUntil, available_at: availableAt } = verdict
  if (verdict.verdict === 'filtered')
    return (
      <>
        by {rule ?? 'its filter'}
        {revision !== null && `, revision ${revision}`}
      </>
    )
  if (verdict.verdict === 'leased' && leasedUntil)
    return (
      <>
        attempt {attempts}, ends <Time at={leasedUntil} />
      </>
    )
  if (verdict.verdict === 'parked' && availableAt)
    return (
      <>
        {toAmount(attempts, 'attempt')}, again <Time at={availableAt} />
      </>
    )
  if (reason) return <>{reason}</>
  return attempts > 0 ? <>{toAmount(attempts, 'attempt')}</> : null
}

const outcomes: Record<Attempt['outcome'], Tone> = {
  delivered: 'good',
  released: 'wait',
  expired: 'wait',
  dead: 'bad',
}

function Attempts({ history, isOpen }: { readonly history: readonly Attempt[]; readonly isOpen: boolean }) {
  return (
    <details class="attempts" open={isOpen}>
      <summary>{toAmount(history.length, 'failed attempt')}</summary>
      <ol>
        {history.map(({ attempt, outcome, reason, at, lease_id: lease }) => (
          <li key={`${attempt} ${at}`}>
            <span class="attempt-number">{attempt}</span>
            <Badge tone={outcomes[outcome]}>{outcome}</Badge>
            <span class="why">{reason ?? <span class="faint">no reason given</span>}</span>
            <span class="soft small" title={`lease ${lease}`}>
              <Time at={at} />
            </span>
          </li>
        ))}
      </ol>
    </details>
  )
}
