import type { InboxSettings } from '@sluice/protocol'
import type { SettleOrder } from '../../store/store.ts'
import type { Outcome } from './door.ts'

/** Between twelve attempts, about three days in all; the last step repeats. For inboxes that have no schedule of their own. */
const defaultScheduleSeconds: readonly number[] = [5, 60, 300, 1800, 3600, 7200, 14_400, 28_800, 57_600, 57_600, 86_400]

type Settling = {
  readonly settings: Pick<InboxSettings, 'retry' | 'on_unknown'>
  readonly attempt: number
  readonly ms: number
  readonly random: () => number
}

/** What becomes of an event, given what came of its delivery. */
export function toSettlement(outcome: Outcome, settling: Settling): SettleOrder['outcome'] {
  const { ms } = settling
  switch (outcome.kind) {
    case 'done':
      return { kind: 'ack', note: { ms, result: outcome.result } }
    case 'gone':
    case 'untouched':
      return { kind: 'release', delayMs: 0, count: false }
    case 'wait':
      return { kind: 'release', delayMs: outcome.delayMs, count: false }
    case 'dead':
      return toRelease(outcome, settling, true)
    case 'unknown':
      return toRelease(outcome, settling, settling.settings.on_unknown === 'stop')
    case 'failed':
      return toRelease(outcome, settling, false)
  }
}

type Failed = Extract<Outcome, { result: string; reason: string }> & { readonly pauseMs?: number }

function toRelease(
  { reason, result, pauseMs = 0 }: Failed,
  settling: Settling,
  final: boolean,
): SettleOrder['outcome'] {
  const { ms } = settling
  const delayMs = Math.max(toRetryMs(settling), pauseMs)
  return { kind: 'release', count: true, delayMs, reason, final, note: { ms, result } }
}

/** A fifth shorter or longer, so that what failed together does not come back together. */
function toRetryMs({ settings, attempt, random }: Settling): number {
  const own = settings.retry.schedule_seconds
  const schedule = own.length > 0 ? own : defaultScheduleSeconds
  const seconds = schedule[Math.min(attempt, schedule.length) - 1] ?? 0
  return Math.round(seconds * 1000 * (0.8 + 0.4 * random()))
}
