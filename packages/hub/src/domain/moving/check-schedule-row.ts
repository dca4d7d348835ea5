import { PutSchedule, Slug } from '@sluice/protocol'
import type { MovedRow } from '../../store/moving.ts'
import { findNextRun } from '../schedules/cron.ts'

/** One that can never be due would be tried for ever. */
export function findScheduleFault(
  { key, settings, status }: Extract<MovedRow, { kind: 'schedule' }>['row'],
  nowMs: number,
): string | undefined {
  if (!Slug.safeParse(key).success || (status !== 'active' && status !== 'paused'))
    return 'has a key or status that no schedule has'
  try {
    const { key_id: _, ...wanted } = JSON.parse(settings)
    const { cron, time_zone: zone = 'UTC' } = PutSchedule.parse(wanted)
    findNextRun({ cron, time_zone: zone }, nowMs)
    return undefined
  } catch {
    return 'has settings that no schedule has'
  }
}
