import { Cron } from 'croner'

/**
 * When a schedule is due next, in ms since 1970.
 *
 * @throws Error that says what is wrong with the expression or the time zone
 * @example findNextRun({ cron: '0 9 * * 1-5', time_zone: 'Europe/Berlin' }, Date.now())
 */
export function findNextRun(
  { cron, time_zone: timezone }: { readonly cron: string; readonly time_zone: string },
  afterMs: number,
): number {
  const next = new Cron(cron, { timezone, mode: '5-or-6-parts' }).nextRun(new Date(afterMs))
  if (!next) throw new Error('there is no such time')
  return next.getTime()
}
